"""Challenges for CA keys, and the signatures that were accepted."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "ca_challenges",
        sa.Column("challenge_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("bound_to", sa.LargeBinary(length=32), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("challenge_hash", name=op.f("pk_ca_challenges")),
    )
    op.create_index(op.f("ix_ca_challenges_expires_at"), "ca_challenges", ["expires_at"])
    op.create_table(
        "ca_signatures",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("certificate_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("certificate_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("public_key_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("key_id_index", sa.LargeBinary(length=32), nullable=False),
        sa.Column("crl_this_update", sa.DateTime(timezone=True), nullable=True),
        sa.Column("crl_next_update", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_ca_signatures_school_id_schools")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_ca_signatures_user_id_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ca_signatures")),
        sa.UniqueConstraint("uid", name=op.f("uq_ca_signatures_uid")),
    )
    op.create_index(op.f("ix_ca_signatures_school_id"), "ca_signatures", ["school_id"])
    op.create_index(op.f("ix_ca_signatures_key_id_index"), "ca_signatures", ["key_id_index"])


def downgrade():
    op.drop_table("ca_signatures")
    op.drop_table("ca_challenges")
