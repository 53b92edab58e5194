"""What is done with personal data on request; the audit trail found by time and actor"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "personal_acts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=100), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("before_sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_personal_acts_school_id_schools")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_personal_acts_user_id_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_personal_acts")),
        sa.UniqueConstraint("uid", name=op.f("uq_personal_acts_uid")),
    )
    op.create_index(op.f("ix_personal_acts_subject"), "personal_acts", ["subject"])
    op.create_index(op.f("ix_personal_acts_school_id"), "personal_acts", ["school_id"])
    op.add_column("rosters", sa.Column("expired_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_audit_events_at"), "audit_events", ["at"])
    op.create_index(op.f("ix_audit_events_actor"), "audit_events", ["actor"])


def downgrade():
    op.drop_index(op.f("ix_audit_events_actor"), "audit_events")
    op.drop_index(op.f("ix_audit_events_at"), "audit_events")
    op.drop_column("rosters", "expired_at")
    op.drop_table("personal_acts")
