"""Students, the rosters they came in, and what each roster wished for them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from school_portal.domain.identifiers import DocumentType, Sex
from school_portal.domain.levels import TrainingLevel
from school_portal.domain.roster import Enrolment, RosterState, Route, StudyMode
from school_portal.domain.violations import Issue, Severity
from school_portal.extensions import db
from school_portal.models.cases import Case
from school_portal.models.organisations import School, Specialty
from school_portal.models.types import UtcDateTime, choice


class StudentColumns:
    """A student's particulars.

    `document_index` is the keyed hash of the person's key; the sealed columns are bound to it.
    """

    student_no: Mapped[str] = mapped_column(sa.String(64))
    name: Mapped[str] = mapped_column(sa.String(100))
    document_type: Mapped[DocumentType] = mapped_column(choice(DocumentType))
    document_index: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    document_sealed: Mapped[bytes]
    sex: Mapped[Sex | None] = mapped_column(choice(Sex))
    birth_date: Mapped[date | None]
    ethnicity: Mapped[str] = mapped_column(sa.String(32), default="")
    mobile_index: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    mobile_sealed: Mapped[bytes]
    training_level: Mapped[TrainingLevel] = mapped_column(choice(TrainingLevel))
    class_name: Mapped[str] = mapped_column(sa.String(100), default="")
    entered_on: Mapped[str] = mapped_column(sa.String(32), default="")
    graduates_on: Mapped[date]
    enrolment_status: Mapped[Enrolment] = mapped_column(choice(Enrolment))
    study_mode: Mapped[StudyMode] = mapped_column(choice(StudyMode))


class WishColumns:
    """What a roster row applies for; an empty column names nothing."""

    route: Mapped[Route] = mapped_column(choice(Route))
    occupation_code: Mapped[str] = mapped_column(sa.String(32), default="")
    occupation: Mapped[str] = mapped_column(sa.String(100), default="")
    direction: Mapped[str] = mapped_column(sa.String(100), default="")
    level: Mapped[int | None]
    body_uscc: Mapped[str] = mapped_column(sa.String(18), default="")


HELD_BY_ONE_SCHOOL = sa.text(
    "enrolment_status IN ("
    + ", ".join(f"'{status.value}'" for status in Enrolment if status.holds)
    + ")"
)


class Student(StudentColumns, db.Model):
    """A student of a school; a person is held by one school (rulebook 7, 5)."""

    __tablename__ = "students"
    __table_args__ = (
        sa.UniqueConstraint("school_id", "document_index"),
        sa.UniqueConstraint("school_id", "student_no"),
        sa.Index(
            "uq_students_held_person",
            "document_index",
            unique=True,
            sqlite_where=HELD_BY_ONE_SCHOOL,
            postgresql_where=HELD_BY_ONE_SCHOOL,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    school_id: Mapped[int] = mapped_column(sa.ForeignKey("schools.id"))
    specialty_id: Mapped[int] = mapped_column(sa.ForeignKey("specialties.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    specialty: Mapped[Specialty] = relationship()


class Roster(Case, db.Model):
    """An uploaded file of students and what became of it."""

    __tablename__ = "rosters"
    KIND = "roster"

    school_id: Mapped[int] = mapped_column(sa.ForeignKey("schools.id"), index=True)
    # One form, one roster: the form's own token comes back when it is sent twice.
    upload_token: Mapped[str | None] = mapped_column(sa.String(64), unique=True)
    file_name: Mapped[str] = mapped_column(sa.String(255))
    sha256: Mapped[str] = mapped_column(sa.String(64))
    size: Mapped[int]  # bytes
    storage_key: Mapped[str] = mapped_column(sa.String(200))
    sheet: Mapped[str | None] = mapped_column(sa.String(100))  # chosen by the user
    judged_on: Mapped[date]  # the civil day as of which the rows are checked
    state: Mapped[RosterState] = mapped_column(choice(RosterState))
    facts: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)  # the contract's `file`
    students_version: Mapped[int | None]  # of the school, when the rows were compared
    accept_valid: Mapped[bool] = mapped_column(default=False)
    accepted: Mapped[int] = mapped_column(default=0)
    rejected: Mapped[int] = mapped_column(default=0)
    created: Mapped[int] = mapped_column(default=0)
    updated: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    uploaded_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    uploaded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    applied_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Since when the file, what was staged and the findings are kept no longer.
    expired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    school: Mapped[School] = relationship()


class RosterIssue(db.Model):
    """One finding of a check, with Excel's own row and the column's name."""

    __tablename__ = "roster_issues"

    id: Mapped[int] = mapped_column(primary_key=True)
    roster_id: Mapped[int] = mapped_column(sa.ForeignKey("rosters.id"), index=True)
    row: Mapped[int | None]
    column: Mapped[str | None] = mapped_column(sa.String(32))
    severity: Mapped[Severity] = mapped_column(sa.String(16))
    code: Mapped[str] = mapped_column(sa.String(64))
    message: Mapped[str] = mapped_column(sa.String(1000))

    def as_issue(self) -> Issue:
        """The finding as the reader told it."""
        return Issue(self.row, self.column, self.severity, self.code, self.message)


class RosterRow(StudentColumns, WishColumns, db.Model):
    """A row that passed the check, staged until the school confirms.

    What it refers to is checked where it becomes a student: here, each row would pay for it twice.
    """

    __tablename__ = "roster_rows"
    __table_args__ = (sa.UniqueConstraint("roster_id", "row"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    roster_id: Mapped[int]
    row: Mapped[int]
    specialty_id: Mapped[int]
    outcome: Mapped[str] = mapped_column(sa.String(16))  # create, update, unchanged
    student_id: Mapped[int | None]  # of the saved student, where there is one


class Wish(WishColumns, db.Model):
    """What a roster wished for a student; the latest roster's holds."""

    __tablename__ = "wishes"
    __table_args__ = (sa.UniqueConstraint("student_id", "roster_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    roster_id: Mapped[int] = mapped_column(sa.ForeignKey("rosters.id"), index=True)
    student_id: Mapped[int] = mapped_column(sa.ForeignKey("students.id"))
