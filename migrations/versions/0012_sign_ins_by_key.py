"""How a sign-in was opened: one by a CA key ends with the key."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# Until now whoever held a school's key had an account of their own.
TAKE_OVER = """
    UPDATE sign_ins SET by_key = true
    WHERE user_id IN (SELECT id FROM users WHERE username LIKE 'key:%')
"""


def upgrade():
    with op.batch_alter_table("sign_ins", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("by_key", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    op.execute(TAKE_OVER)


def downgrade():
    with op.batch_alter_table("sign_ins", schema=None) as batch_op:
        batch_op.drop_column("by_key")
