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
    with op.batch_alter_table("ca_signatures") as table:
        table.add_column(sa.Column("crl_override_id", sa.Integer(), nullable=True))
        table.create_foreign_key(
            op.f("fk_ca_signatures_crl_override_id_crl_overrides"),
            "crl_overrides",
            ["crl_override_id"],
            ["id"],
        )


def downgrade():
    with op.batch_alter_table("ca_signatures") as table:
        table.drop_constraint(
            op.f("fk_ca_signatures_crl_override_id_crl_overrides"), type_="foreignkey"
        )
        table.drop_column("crl_override_id")
    op.drop_table("crl_overrides")
