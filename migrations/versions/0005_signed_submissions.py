"""Group applications signed and submitted; each has a name for its receipt's address."""

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade():
    # Not as a batch: SQLite would drop the table, and students refer to its rows.
    op.add_column(
        "group_applications",
        sa.Column("uid", sa.String(length=32), nullable=False, server_default=""),
    )
    applications = sa.table("group_applications", sa.column("id"), sa.column("uid"))
    connection = op.get_bind()
    for (key,) in connection.execute(sa.select(applications.c.id)).all():
        named = sa.update(applications).where(applications.c.id == key)
        connection.execute(named.values(uid=uuid.uuid4().hex))
    op.create_index(op.f("ix_group_applications_uid"), "group_applications", ["uid"], unique=True)
    op.create_table(
        "group_submissions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("signature_id", sa.Integer(), nullable=False),
        sa.Column("issuers", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["group_applications.id"],
            name=op.f("fk_group_submissions_application_id_group_applications"),
        ),
        sa.ForeignKeyConstraint(
            ["signature_id"],
            ["ca_signatures.id"],
            name=op.f("fk_group_submissions_signature_id_ca_signatures"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_group_submissions")),
        sa.UniqueConstraint("signature_id", name=op.f("uq_group_submissions_signature_id")),
    )
    op.create_index(
        op.f("ix_group_submissions_application_id"), "group_submissions", ["application_id"]
    )


def downgrade():
    op.drop_table("group_submissions")
    op.drop_index(op.f("ix_group_applications_uid"), table_name="group_applications")
    op.drop_column("group_applications", "uid")
