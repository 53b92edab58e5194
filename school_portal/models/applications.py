"""Group applications and the students in them."""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from school_portal.domain.group_application import ApplicationState, MemberState
from school_portal.domain.roster import Route
from school_portal.extensions import db
from school_portal.models.cases import Case
from school_portal.models.organisations import Body, ProjectColumns, School
from school_portal.models.people import Student
from school_portal.models.types import UtcDateTime, choice


class GroupApplication(Case, ProjectColumns, db.Model):
    """One school, one body, one route, one project, at most N students (rulebook 7, 3)."""

    __tablename__ = "group_applications"
    KIND = "group-application"

    number: Mapped[str] = mapped_column(sa.String(32), unique=True)
    uid: Mapped[str] = mapped_column(  # in the address where its receipt is verified
        sa.String(32), unique=True, index=True, default=lambda: uuid.uuid4().hex
    )
    school_id: Mapped[int] = mapped_column(sa.ForeignKey("schools.id"), index=True)
    body_id: Mapped[int | None] = mapped_column(sa.ForeignKey("bodies.id"))
    route: Mapped[Route] = mapped_column(choice(Route))
    state: Mapped[ApplicationState] = mapped_column(choice(ApplicationState))
    job_id: Mapped[str | None] = mapped_column(sa.ForeignKey("jobs.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    school: Mapped[School] = relationship()
    body: Mapped[Body | None] = relationship()
    members: Mapped[list[ApplicationMember]] = relationship(back_populates="application")


class ApplicationMember(ProjectColumns, db.Model):
    """A student in a group application.

    `is_open` holds while the application is open and the student is included: the unique index
    over it is `ONCE`, whatever runs beside.
    """

    __tablename__ = "application_members"
    __table_args__ = (
        sa.UniqueConstraint("application_id", "student_id"),
        sa.Index(
            "uq_application_members_once",
            "document_index",
            "occupation_code",
            "occupation",
            "direction",
            "level",
            unique=True,
            sqlite_where=sa.text("is_open"),
            postgresql_where=sa.text("is_open"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int] = mapped_column(sa.ForeignKey("group_applications.id"))
    student_id: Mapped[int] = mapped_column(sa.ForeignKey("students.id"), index=True)
    document_index: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    state: Mapped[MemberState] = mapped_column(choice(MemberState))
    is_open: Mapped[bool] = mapped_column(default=True)

    application: Mapped[GroupApplication] = relationship(back_populates="members")
    student: Mapped[Student] = relationship()


class Sequence(db.Model):
    """A counter without gaps: raised in the transaction that uses its number."""

    __tablename__ = "sequences"

    name: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    value: Mapped[int] = mapped_column(default=0)
