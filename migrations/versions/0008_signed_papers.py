"""Papers of every kind signed and submitted: one table for what was signed."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

KEPT = ("arrived_at", "digest", "content_sealed", "signature_id", "issuers")


def _table(name, *others):
    return sa.table(name, *(sa.column(one) for one in ("id", *others)))


def _create(name, owner, *foreign):
    op.create_table(
        name,
        sa.Column("id", sa.Integer(), nullable=False),
        owner,
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("signature_id", sa.Integer(), nullable=False),
        sa.Column("issuers", sa.JSON(), nullable=False),
        *foreign,
        sa.ForeignKeyConstraint(
            ["signature_id"],
            ["ca_signatures.id"],
            name=op.f(f"fk_{name}_signature_id_ca_signatures"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint("signature_id", name=op.f(f"uq_{name}_signature_id")),
    )
    op.create_index(op.f(f"ix_{name}_{owner.name}"), name, [owner.name])


def upgrade():
    _create("signed_submissions", sa.Column("paper_uid", sa.String(length=32), nullable=False))
    group = _table("group_submissions", "application_id", *KEPT)
    signed = _table("signed_submissions", "paper_uid", *KEPT)
    applications = _table("group_applications", "uid")
    columns = [applications.c.uid, *(group.c[name] for name in KEPT)]
    of_application = group.c.application_id == applications.c.id
    rows = sa.select(*columns).join_from(group, applications, of_application).order_by(group.c.id)
    op.execute(signed.insert().from_select(["paper_uid", *KEPT], rows))
    op.drop_table("group_submissions")
    with op.batch_alter_table("evaluation_submissions") as table:
        table.add_column(sa.Column("signed_id", sa.Integer(), nullable=True))
        table.create_foreign_key(
            op.f("fk_evaluation_submissions_signed_id_signed_submissions"),
            "signed_submissions",
            ["signed_id"],
            ["id"],
        )
        table.create_unique_constraint(op.f("uq_evaluation_submissions_signed_id"), ["signed_id"])


def downgrade():
    with op.batch_alter_table("evaluation_submissions") as table:
        table.drop_constraint(op.f("uq_evaluation_submissions_signed_id"), type_="unique")
        table.drop_constraint(
            op.f("fk_evaluation_submissions_signed_id_signed_submissions"), type_="foreignkey"
        )
        table.drop_column("signed_id")
    _create(
        "group_submissions",
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["group_applications.id"],
            name=op.f("fk_group_submissions_application_id_group_applications"),
        ),
    )
    group = _table("group_submissions", "application_id", *KEPT)
    signed = _table("signed_submissions", "paper_uid", *KEPT)
    applications = _table("group_applications", "uid")
    columns = [applications.c.id, *(signed.c[name] for name in KEPT)]
    of_application = signed.c.paper_uid == applications.c.uid
    # What other papers' signatures were of is not known to the tables from before.
    rows = sa.select(*columns).join_from(signed, applications, of_application).order_by(signed.c.id)
    op.execute(group.insert().from_select(["application_id", *KEPT], rows))
    op.drop_table("signed_submissions")
