"""The document of a restricted person, sealed beside its hash, so that the hash can be made anew.

A cell of the students is bound to the hash alone: it opens here as well.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade():
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
