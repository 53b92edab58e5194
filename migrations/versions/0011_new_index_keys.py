"""What keyed hashes are made of, so that they can be made anew under another index key.

A restricted person's document, sealed: a cell of the students is bound to the hash alone and opens
here as well. An application's hash on its receipt, which contains a keyed one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table("account_openings") as table:
        table.add_column(sa.Column("receipt_digest", sa.String(length=64), nullable=True))
    with op.batch_alter_table("restrictions") as table:
        table.add_column(sa.Column("document_type", sa.String(length=32), nullable=True))
        table.add_column(sa.Column("document_sealed", sa.LargeBinary(), nullable=True))
    op.execute(
        """
        UPDATE restrictions SET
            document_type = (SELECT document_type FROM students
                WHERE students.document_index = restrictions.document_index LIMIT 1),
            document_sealed = (SELECT document_sealed FROM students
                WHERE students.document_index = restrictions.document_index LIMIT 1)
        """
    )


def downgrade():
    with op.batch_alter_table("restrictions") as table:
        table.drop_column("document_sealed")
        table.drop_column("document_type")
    with op.batch_alter_table("account_openings") as table:
        table.drop_column("receipt_digest")
