"""The audit trail is found by its time and its actor"""

from alembic import op

revision = "0006"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade():
    op.create_index(op.f("ix_audit_events_at"), "audit_events", ["at"])
    op.create_index(op.f("ix_audit_events_actor"), "audit_events", ["actor"])


def downgrade():
    op.drop_index(op.f("ix_audit_events_actor"), "audit_events")
    op.drop_index(op.f("ix_audit_events_at"), "audit_events")
