"""The offices at work: evaluations, accounts, permissions, settings, notices"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


DEFAULTED = {
    "evaluation_lines": ("position", "state", "panel_reasons", "version"),
    "permissions": ("state", "version"),
}
STAGED_REFERENCES = (("roster_id", "rosters"), ("specialty_id", "specialties"))
# The index of 0001 named a state that no student ever has: those on leave were not held by it.
HOLDING = "enrolment_status IN ('enrolled', 'suspended', 'retained')"
HOLDING_BEFORE = "enrolment_status IN ('enrolled', 'on_leave', 'retained')"


def _hold_persons(condition):
    with op.batch_alter_table("students", schema=None) as batch_op:
        batch_op.drop_index("uq_students_held_person")
        batch_op.create_index(
            "uq_students_held_person",
            ["document_index"],
            unique=True,
            sqlite_where=sa.text(condition),
            postgresql_where=sa.text(condition),
        )


def upgrade():
    op.create_table(
        "school_accounts",
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_school_accounts_school_id_schools")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_school_accounts")),
        sa.UniqueConstraint("school_id", name=op.f("uq_school_accounts_school_id")),
    )
    op.create_table(
        "account_openings",
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("legal_representative", sa.String(length=50), nullable=False),
        sa.Column("district", sa.String(length=50), nullable=False),
        sa.Column("leader", sa.String(length=50), nullable=False),
        sa.Column("leader_mobile_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("contact", sa.String(length=50), nullable=False),
        sa.Column("contact_mobile_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("operator", sa.String(length=50), nullable=False),
        sa.Column("operator_document_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("key_id_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("key_id_index", sa.LargeBinary(length=32), nullable=True),
        sa.Column("dual_certificate", sa.Boolean(), nullable=False),
        sa.Column("opinion", sa.String(length=1000), nullable=False),
        sa.Column("handler", sa.String(length=50), nullable=False),
        sa.Column("handled_on", sa.Date(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("original_received_on", sa.Date(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["users.id"], name=op.f("fk_account_openings_created_by_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_account_openings_school_id_schools")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_openings")),
        sa.UniqueConstraint("number", name=op.f("uq_account_openings_number")),
        sa.UniqueConstraint("uid", name=op.f("uq_account_openings_uid")),
    )
    with op.batch_alter_table("account_openings", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_account_openings_key_id_index"), ["key_id_index"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_account_openings_school_id"), ["school_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_account_openings_state"), ["state"], unique=False)

    op.create_table(
        "experts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("employer", sa.String(length=200), nullable=False),
        sa.Column("employer_uscc", sa.String(length=18), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_experts_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experts")),
        sa.UniqueConstraint("user_id", name=op.f("uq_experts_user_id")),
    )
    op.create_table(
        "extra_windows",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by_id", sa.Integer(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["opened_by_id"], ["users.id"], name=op.f("fk_extra_windows_opened_by_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_extra_windows_school_id_schools")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extra_windows")),
    )
    op.create_table(
        "notices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("text", sa.String(length=2000), nullable=False),
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mail_wanted", sa.Boolean(), nullable=False),
        sa.Column("mailed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mail_attempts", sa.Integer(), nullable=False),
        sa.Column("mail_error", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_notices_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("user_id", "token", name=op.f("uq_notices_user_id_token")),
    )
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notices_user_id"), ["user_id"], unique=False)
        batch_op.create_index("ix_notices_to_mail", ["mail_wanted", "mailed_at"], unique=False)

    op.create_table(
        "permission_requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("requested_by_id", sa.Integer(), nullable=True),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["requested_by_id"],
            ["users.id"],
            name=op.f("fk_permission_requests_requested_by_id_users"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_permission_requests_school_id_schools")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_permission_requests")),
        sa.UniqueConstraint("number", name=op.f("uq_permission_requests_number")),
        sa.UniqueConstraint("uid", name=op.f("uq_permission_requests_uid")),
    )
    with op.batch_alter_table("permission_requests", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_permission_requests_school_id"), ["school_id"], unique=False
        )

    op.create_table(
        "policy_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("old", sa.JSON(), nullable=False),
        sa.Column("new", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_policy_changes_user_id_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_changes")),
    )
    with op.batch_alter_table("policy_changes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_policy_changes_name"), ["name"], unique=False)

    op.create_table(
        "specialty_evaluations",
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("training_level", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("legal_representative", sa.String(length=50), nullable=False),
        sa.Column("leader", sa.String(length=50), nullable=False),
        sa.Column("leader_phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("contact", sa.String(length=50), nullable=False),
        sa.Column("contact_phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("school_opinion", sa.String(length=1000), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("correction_until", sa.Date(), nullable=True),
        sa.Column("unlocked", sa.JSON(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["users.id"],
            name=op.f("fk_specialty_evaluations_created_by_id_users"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_specialty_evaluations_school_id_schools")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_specialty_evaluations")),
        sa.UniqueConstraint("number", name=op.f("uq_specialty_evaluations_number")),
        sa.UniqueConstraint("uid", name=op.f("uq_specialty_evaluations_uid")),
    )
    with op.batch_alter_table("specialty_evaluations", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_specialty_evaluations_school_id"), ["school_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_specialty_evaluations_state"), ["state"], unique=False)

    op.create_table(
        "state_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("label", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("target", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=2000), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_state_changes_user_id_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_state_changes")),
    )
    with op.batch_alter_table("state_changes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_state_changes_subject"), ["subject"], unique=False)

    op.create_table(
        "workday_years",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("days", sa.JSON(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("loaded_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["loaded_by_id"], ["users.id"], name=op.f("fk_workday_years_loaded_by_id_users")
        ),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_workday_years")),
    )
    op.create_table(
        "account_opening_lines",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("opening_id", sa.Integer(), nullable=False),
        sa.Column("occupation_code", sa.String(length=32), nullable=False),
        sa.Column("occupation", sa.String(length=100), nullable=False),
        sa.Column("direction", sa.String(length=100), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["opening_id"],
            ["account_openings.id"],
            name=op.f("fk_account_opening_lines_opening_id_account_openings"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_opening_lines")),
    )
    with op.batch_alter_table("account_opening_lines", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_account_opening_lines_opening_id"), ["opening_id"], unique=False
        )

    op.create_table(
        "evaluation_submissions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("evaluation_id", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("submitted_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["evaluation_id"],
            ["specialty_evaluations.id"],
            name=op.f("fk_evaluation_submissions_evaluation_id_specialty_evaluations"),
        ),
        sa.ForeignKeyConstraint(
            ["submitted_by_id"],
            ["users.id"],
            name=op.f("fk_evaluation_submissions_submitted_by_id_users"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluation_submissions")),
        sa.UniqueConstraint(
            "evaluation_id",
            "sequence",
            name=op.f("uq_evaluation_submissions_evaluation_id_sequence"),
        ),
    )
    op.create_table(
        "panels",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("evaluation_id", sa.Integer(), nullable=False),
        sa.Column("convened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["evaluation_id"],
            ["specialty_evaluations.id"],
            name=op.f("fk_panels_evaluation_id_specialty_evaluations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_panels")),
        sa.UniqueConstraint("evaluation_id", name=op.f("uq_panels_evaluation_id")),
    )
    op.create_table(
        "seals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("evaluation_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("affixed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("affixed_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["affixed_by_id"], ["users.id"], name=op.f("fk_seals_affixed_by_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["evaluation_id"],
            ["specialty_evaluations.id"],
            name=op.f("fk_seals_evaluation_id_specialty_evaluations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seals")),
        sa.UniqueConstraint("evaluation_id", "role", name=op.f("uq_seals_evaluation_id_role")),
    )
    op.create_table(
        "training_programmes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("evaluation_id", sa.Integer(), nullable=False),
        sa.Column("specialty_id", sa.Integer(), nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("storage_key", sa.String(length=200), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("detached_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["evaluation_id"],
            ["specialty_evaluations.id"],
            name=op.f("fk_training_programmes_evaluation_id_specialty_evaluations"),
        ),
        sa.ForeignKeyConstraint(
            ["specialty_id"],
            ["specialties.id"],
            name=op.f("fk_training_programmes_specialty_id_specialties"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_programmes")),
    )
    with op.batch_alter_table("training_programmes", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_training_programmes_evaluation_id"), ["evaluation_id"], unique=False
        )

    op.create_table(
        "panel_members",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("panel_id", sa.Integer(), nullable=False),
        sa.Column("expert_id", sa.Integer(), nullable=False),
        sa.Column("replaces_id", sa.Integer(), nullable=True),
        sa.Column("recused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recusal_reason", sa.String(length=500), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["expert_id"], ["experts.id"], name=op.f("fk_panel_members_expert_id_experts")
        ),
        sa.ForeignKeyConstraint(
            ["panel_id"], ["panels.id"], name=op.f("fk_panel_members_panel_id_panels")
        ),
        sa.ForeignKeyConstraint(
            ["replaces_id"],
            ["panel_members.id"],
            name=op.f("fk_panel_members_replaces_id_panel_members"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_panel_members")),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_panel_members_replaces_id")),
        sa.UniqueConstraint(
            "panel_id", "expert_id", name=op.f("uq_panel_members_panel_id_expert_id")
        ),
    )
    with op.batch_alter_table("panel_members", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_panel_members_expert_id"), ["expert_id"], unique=False)

    op.create_table(
        "expert_opinions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("line_id", sa.Integer(), nullable=False),
        sa.Column("approves", sa.Boolean(), nullable=False),
        sa.Column("reasons", sa.String(length=1000), nullable=False),
        sa.ForeignKeyConstraint(
            ["line_id"],
            ["evaluation_lines.id"],
            name=op.f("fk_expert_opinions_line_id_evaluation_lines"),
        ),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["panel_members.id"],
            name=op.f("fk_expert_opinions_member_id_panel_members"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_expert_opinions")),
        sa.UniqueConstraint(
            "member_id", "line_id", name=op.f("uq_expert_opinions_member_id_line_id")
        ),
    )
    with op.batch_alter_table("expert_opinions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_expert_opinions_line_id"), ["line_id"], unique=False)

    with op.batch_alter_table("evaluation_lines", schema=None) as batch_op:
        batch_op.add_column(sa.Column("evaluation_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("position", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(
            sa.Column("state", sa.String(length=32), nullable=False, server_default="approved")
        )
        batch_op.add_column(
            sa.Column("panel_reasons", sa.Text(), nullable=False, server_default="")
        )
        batch_op.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="0"))
        batch_op.drop_constraint(
            batch_op.f(
                "uq_evaluation_lines_specialty_id_occupation_code_occupation_direction_level_starts_on"
            ),
            type_="unique",
        )
        batch_op.create_index(
            batch_op.f("ix_evaluation_lines_evaluation_id"), ["evaluation_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_evaluation_lines_specialty_id"), ["specialty_id"], unique=False
        )
        batch_op.create_index(
            "uq_evaluation_lines_taken_over",
            ["specialty_id", "occupation_code", "occupation", "direction", "level", "starts_on"],
            unique=True,
            sqlite_where=sa.text("evaluation_id IS NULL"),
            postgresql_where=sa.text("evaluation_id IS NULL"),
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_evaluation_lines_evaluation_id_specialty_evaluations"),
            "specialty_evaluations",
            ["evaluation_id"],
            ["id"],
        )

    with op.batch_alter_table("permissions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("request_id", sa.Integer(), nullable=True))
        batch_op.add_column(
            sa.Column("state", sa.String(length=32), nullable=False, server_default="granted")
        )
        batch_op.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="0"))
        batch_op.create_index(batch_op.f("ix_permissions_request_id"), ["request_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_permissions_request_id_permission_requests"),
            "permission_requests",
            ["request_id"],
            ["id"],
        )

    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.add_column(sa.Column("email_sealed", sa.LargeBinary(), nullable=True))

    # What was there before is decided; from now on the portal says so itself.
    for table, columns in DEFAULTED.items():
        with op.batch_alter_table(table, schema=None) as batch_op:
            for column in columns:
                batch_op.alter_column(column, server_default=None)

    _hold_persons(HOLDING)

    with op.batch_alter_table("roster_rows", schema=None) as batch_op:
        for column, table in STAGED_REFERENCES:
            batch_op.drop_constraint(f"fk_roster_rows_{column}_{table}", type_="foreignkey")


def downgrade():
    with op.batch_alter_table("roster_rows", schema=None) as batch_op:
        for column, table in STAGED_REFERENCES:
            batch_op.create_foreign_key(
                batch_op.f(f"fk_roster_rows_{column}_{table}"), table, [column], ["id"]
            )

    _hold_persons(HOLDING_BEFORE)
    # Before, every line and permission was in effect: what is not goes, and so does what would
    # then stand twice.
    op.execute("DELETE FROM expert_opinions")
    op.execute(
        "DELETE FROM evaluation_lines WHERE state IN ('pending', 'refused')"
        " OR (evaluation_id IS NOT NULL AND starts_on IS NULL)"
    )
    op.execute(
        "DELETE FROM evaluation_lines WHERE id NOT IN (SELECT min(id) FROM evaluation_lines"
        " GROUP BY specialty_id, occupation_code, occupation, direction, level, starts_on)"
    )
    op.execute("DELETE FROM permissions WHERE state NOT IN ('granted', 'revoked')")
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.drop_column("email_sealed")

    with op.batch_alter_table("permissions", schema=None) as batch_op:
        batch_op.drop_constraint(
            batch_op.f("fk_permissions_request_id_permission_requests"), type_="foreignkey"
        )
        batch_op.drop_index(batch_op.f("ix_permissions_request_id"))
        batch_op.drop_column("version")
        batch_op.drop_column("state")
        batch_op.drop_column("request_id")

    with op.batch_alter_table("evaluation_lines", schema=None) as batch_op:
        batch_op.drop_constraint(
            batch_op.f("fk_evaluation_lines_evaluation_id_specialty_evaluations"),
            type_="foreignkey",
        )
        batch_op.drop_index(
            "uq_evaluation_lines_taken_over",
            sqlite_where=sa.text("evaluation_id IS NULL"),
            postgresql_where=sa.text("evaluation_id IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_evaluation_lines_specialty_id"))
        batch_op.drop_index(batch_op.f("ix_evaluation_lines_evaluation_id"))
        batch_op.create_unique_constraint(
            batch_op.f(
                "uq_evaluation_lines_specialty_id_occupation_code_occupation_direction_level_starts_on"
            ),
            ["specialty_id", "occupation_code", "occupation", "direction", "level", "starts_on"],
        )
        batch_op.drop_column("version")
        batch_op.drop_column("panel_reasons")
        batch_op.drop_column("state")
        batch_op.drop_column("position")
        batch_op.drop_column("evaluation_id")

    with op.batch_alter_table("expert_opinions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_expert_opinions_line_id"))

    op.drop_table("expert_opinions")
    with op.batch_alter_table("panel_members", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_panel_members_expert_id"))

    op.drop_table("panel_members")
    with op.batch_alter_table("training_programmes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_training_programmes_evaluation_id"))

    op.drop_table("training_programmes")
    op.drop_table("seals")
    op.drop_table("panels")
    op.drop_table("evaluation_submissions")
    with op.batch_alter_table("account_opening_lines", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_account_opening_lines_opening_id"))

    op.drop_table("account_opening_lines")
    op.drop_table("workday_years")
    with op.batch_alter_table("state_changes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_state_changes_subject"))

    op.drop_table("state_changes")
    with op.batch_alter_table("specialty_evaluations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_specialty_evaluations_state"))
        batch_op.drop_index(batch_op.f("ix_specialty_evaluations_school_id"))

    op.drop_table("specialty_evaluations")
    with op.batch_alter_table("policy_changes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_policy_changes_name"))

    op.drop_table("policy_changes")
    with op.batch_alter_table("permission_requests", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_permission_requests_school_id"))

    op.drop_table("permission_requests")
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.drop_index("ix_notices_to_mail")
        batch_op.drop_index(batch_op.f("ix_notices_user_id"))

    op.drop_table("notices")
    op.drop_table("extra_windows")
    op.drop_table("experts")
    with op.batch_alter_table("account_openings", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_account_openings_state"))
        batch_op.drop_index(batch_op.f("ix_account_openings_school_id"))
        batch_op.drop_index(batch_op.f("ix_account_openings_key_id_index"))

    op.drop_table("account_openings")
    op.drop_table("school_accounts")
