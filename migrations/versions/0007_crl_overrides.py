"""CRLs past their dates that count for a time."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "crl_overrides",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("granted_by_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["granted_by_id"], ["users.id"], name=op.f("fk_crl_overrides_granted_by_id_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crl_overrides")),
    )
    # Not as a batch: SQLite would drop the table, and submissions refer to its rows.
    name = op.f("fk_ca_signatures_crl_override_id_crl_overrides")
    refers = sa.ForeignKey("crl_overrides.id", name=name)
    column = sa.Column("crl_override_id", sa.Integer(), refers, nullable=True)
    op.add_column("ca_signatures", column, inline_references=True)


def downgrade():
    op.drop_column("ca_signatures", "crl_override_id")
    op.drop_table("crl_overrides")
