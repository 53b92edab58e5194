"""The key pairs of each school; those that signed with the account's keyID are accepted."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# The certificate last presented with each key pair stands in its newest signature.
TAKE_OVER = """
    INSERT INTO school_keys (school_id, public_key_sha256, certificate_sha256, first_seen_at,
        last_used_at, state, version)
    SELECT kept.school_id, kept.public_key_sha256, newest.certificate_sha256, kept.first_at,
        kept.last_at,
        CASE WHEN newest.key_id_index = schools.key_id_index THEN 'accepted'
            ELSE 'not_in_use' END,
        0
    FROM (
        SELECT school_id, public_key_sha256, min(at) AS first_at, max(at) AS last_at,
            max(id) AS newest_id
        FROM ca_signatures GROUP BY school_id, public_key_sha256
    ) AS kept
    JOIN ca_signatures AS newest ON newest.id = kept.newest_id
    JOIN schools ON schools.id = kept.school_id
    ORDER BY kept.newest_id
"""


def upgrade():
    op.create_table(
        "school_keys",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("public_key_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("certificate_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("not_after", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_school_keys_school_id_schools")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_school_keys")),
        sa.UniqueConstraint(
            "school_id",
            "public_key_sha256",
            name=op.f("uq_school_keys_school_id_public_key_sha256"),
        ),
    )
    op.create_index(op.f("ix_school_keys_state"), "school_keys", ["state"])
    op.execute(TAKE_OVER)


def downgrade():
    op.drop_table("school_keys")
