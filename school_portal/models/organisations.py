"""Schools and evaluation bodies, and what each is authorised for."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from school_portal.domain.facts import Basis, BodyState, BodyType, Node
from school_portal.domain.identifiers import DocumentType
from school_portal.domain.levels import Level, TrainingLevel
from school_portal.domain.permission import PermissionState
from school_portal.domain.projects import Project
from school_portal.domain.roster import Route
from school_portal.domain.specialty_evaluation import LineState
from school_portal.extensions import db
from school_portal.models.cases import Case
from school_portal.models.types import choice


class ProjectColumns:
    """A project (rulebook 2): occupation code, occupation, direction and level together."""

    occupation_code: Mapped[str] = mapped_column(sa.String(32))
    occupation: Mapped[str] = mapped_column(sa.String(100))
    direction: Mapped[str] = mapped_column(sa.String(100), default="")
    level: Mapped[int]

    @property
    def project(self) -> Project:
        return Project(self.occupation_code, self.occupation, self.direction, Level(self.level))


class School(db.Model):
    """A vocational school; its account passes `ACCOUNT` from `opened_on` to `stopped_on`."""

    __tablename__ = "schools"

    id: Mapped[int] = mapped_column(primary_key=True)
    uscc: Mapped[str] = mapped_column(sa.String(18), unique=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    district: Mapped[str] = mapped_column(sa.String(50), default="")
    legal_representative: Mapped[str] = mapped_column(sa.String(50), default="")
    training_levels: Mapped[str] = mapped_column(sa.String(32))  # values joined by a comma
    key_id_sealed: Mapped[bytes | None]
    key_id_index: Mapped[bytes | None] = mapped_column(sa.LargeBinary(32), unique=True)
    opened_on: Mapped[date | None]
    stopped_on: Mapped[date | None]
    # Counts every change to the students: a check made against an older count is made again.
    students_version: Mapped[int] = mapped_column(default=0)

    specialties: Mapped[list[Specialty]] = relationship(
        back_populates="school", order_by="Specialty.code"
    )

    @property
    def levels(self) -> list[TrainingLevel]:
        """Its training levels: one, or both."""
        return [TrainingLevel(value) for value in self.training_levels.split(",")]


class Specialty(db.Model):
    """A specialty, keyed by school, code and training level (rulebook 2)."""

    __tablename__ = "specialties"
    __table_args__ = (sa.UniqueConstraint("school_id", "code", "training_level"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    school_id: Mapped[int] = mapped_column(sa.ForeignKey("schools.id"))
    code: Mapped[str] = mapped_column(sa.String(32))
    name: Mapped[str] = mapped_column(sa.String(100))
    training_level: Mapped[TrainingLevel] = mapped_column(choice(TrainingLevel))
    # The body that the school chose for the specialty's students, where a row names none.
    chosen_body_id: Mapped[int | None] = mapped_column(sa.ForeignKey("bodies.id"))

    school: Mapped[School] = relationship(back_populates="specialties")


class Body(db.Model):
    """An evaluation body and its filing (rulebook 8)."""

    __tablename__ = "bodies"

    id: Mapped[int] = mapped_column(primary_key=True)
    uscc: Mapped[str] = mapped_column(sa.String(18), unique=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    type: Mapped[BodyType] = mapped_column(choice(BodyType))
    district: Mapped[str] = mapped_column(sa.String(50), default="")
    filing_no: Mapped[str] = mapped_column(sa.String(64), default="")
    filed_from: Mapped[date | None]
    filed_until: Mapped[date | None]
    state: Mapped[BodyState] = mapped_column(choice(BodyState))
    state_on: Mapped[date | None]

    projects: Mapped[list[BodyProject]] = relationship(back_populates="body")


class BodyProject(ProjectColumns, db.Model):
    """A project that a body's filing carries."""

    __tablename__ = "body_projects"
    __table_args__ = (
        sa.UniqueConstraint("body_id", "occupation_code", "occupation", "direction", "level"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    body_id: Mapped[int] = mapped_column(sa.ForeignKey("bodies.id"))
    basis: Mapped[Basis] = mapped_column(choice(Basis))

    body: Mapped[Body] = relationship(back_populates="projects")


class CatalogueOccupation(db.Model):
    """A line of the catalogue (N447 annex); the code alone is no key."""

    __tablename__ = "catalogue_occupations"
    __table_args__ = (sa.UniqueConstraint("code", "name", "direction"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(sa.String(32))
    name: Mapped[str] = mapped_column(sa.String(100))
    direction: Mapped[str] = mapped_column(sa.String(100), default="")
    levels: Mapped[str] = mapped_column(sa.String(16))  # digits separated by a space


FROM_OPENING_DATA = sa.text("evaluation_id IS NULL")


class EvaluationLine(Case, ProjectColumns, db.Model):
    """A line of a specialty evaluation; in force within its dates once it took effect.

    One taken over with the opening data belongs to no application and was approved before. A line
    of an application has its first day with the last seal (rulebook 5, 4).
    """

    __tablename__ = "evaluation_lines"
    __table_args__ = (
        sa.Index(
            "uq_evaluation_lines_taken_over",
            "specialty_id",
            "occupation_code",
            "occupation",
            "direction",
            "level",
            "starts_on",
            unique=True,
            sqlite_where=FROM_OPENING_DATA,
            postgresql_where=FROM_OPENING_DATA,
        ),
    )
    KIND = "evaluation-line"

    specialty_id: Mapped[int] = mapped_column(sa.ForeignKey("specialties.id"), index=True)
    evaluation_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("specialty_evaluations.id"), index=True
    )
    position: Mapped[int] = mapped_column(default=0)  # in the application, from 1
    state: Mapped[LineState] = mapped_column(choice(LineState), default=LineState.APPROVED)
    panel_reasons: Mapped[str] = mapped_column(sa.Text, default="")
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]

    specialty: Mapped[Specialty] = relationship()

    @classmethod
    def took_effect(cls) -> sa.ColumnElement[bool]:
        """Taken over, or approved and sealed; the dates say whether it is in force."""
        decided = cls.state.in_((LineState.APPROVED, LineState.REVOKED, LineState.EXPIRED))
        return sa.and_(decided, sa.or_(cls.evaluation_id.is_(None), cls.starts_on.is_not(None)))


class Permission(Case, ProjectColumns, db.Model):
    """A permission for group applications, asked for or granted (N17S 二3, N17H 二3)."""

    __tablename__ = "permissions"
    KIND = "permission"

    school_id: Mapped[int] = mapped_column(sa.ForeignKey("schools.id"), index=True)
    # None where the centre opened it itself, or where it came with the opening data.
    request_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("permission_requests.id"), index=True
    )
    route: Mapped[Route] = mapped_column(choice(Route))
    node: Mapped[Node | None] = mapped_column(choice(Node))
    state: Mapped[PermissionState] = mapped_column(
        choice(PermissionState), default=PermissionState.GRANTED
    )
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]

    school: Mapped[School] = relationship()

    @classmethod
    def took_effect(cls) -> sa.ColumnElement[bool]:
        """Granted at some time; the dates say whether it is in force."""
        return cls.state.in_((PermissionState.GRANTED, PermissionState.REVOKED))


class Cooperation(db.Model):
    """A cooperation agreement of a school with an enterprise's body (N120 二(一))."""

    __tablename__ = "cooperations"

    id: Mapped[int] = mapped_column(primary_key=True)
    school_id: Mapped[int] = mapped_column(sa.ForeignKey("schools.id"), index=True)
    body_id: Mapped[int] = mapped_column(sa.ForeignKey("bodies.id"))
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]

    body: Mapped[Body] = relationship()


class Restriction(db.Model):
    """A recorded restriction of a body, a school or a person (N120 三(四)2).

    A person's document is sealed as a student's is, so that its hash can be made anew; it is not
    there where nobody knew it when these columns were added.
    """

    __tablename__ = "restrictions"
    id: Mapped[int] = mapped_column(primary_key=True)
    school_id: Mapped[int | None] = mapped_column(sa.ForeignKey("schools.id"))
    body_id: Mapped[int | None] = mapped_column(sa.ForeignKey("bodies.id"))
    document_index: Mapped[bytes | None] = mapped_column(sa.LargeBinary(32), index=True)
    document_type: Mapped[DocumentType | None] = mapped_column(choice(DocumentType))
    document_sealed: Mapped[bytes | None]
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    reason: Mapped[str] = mapped_column(sa.String(500), default="")
