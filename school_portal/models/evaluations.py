"""Specialty evaluations: annex 1, its attachments and submissions, panels and seals."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from school_portal.domain.levels import TrainingLevel
from school_portal.domain.specialty_evaluation import EvaluationState
from school_portal.domain.workflow import Role
from school_portal.extensions import db
from school_portal.models.ca import SignedSubmission
from school_portal.models.cases import Case, Numbered
from school_portal.models.organisations import EvaluationLine, School, Specialty
from school_portal.models.records import User
from school_portal.models.types import UtcDateTime, choice


class SpecialtyEvaluation(Case, Numbered, db.Model):
    """A school's application for one training level (N17S and N17H, annex 1).

    `unlocked` names what a returned one may change: `{"fields": [...], "lines": [line ids],
    "programmes": [specialty ids], "add_lines": bool}`; `correction_until` is the last day for it.
    """

    __tablename__ = "specialty_evaluations"
    KIND = "evaluation"

    school_id: Mapped[int] = mapped_column(sa.ForeignKey("schools.id"), index=True)
    training_level: Mapped[TrainingLevel] = mapped_column(choice(TrainingLevel))
    state: Mapped[EvaluationState] = mapped_column(
        choice(EvaluationState), default=EvaluationState.DRAFT, index=True
    )
    legal_representative: Mapped[str] = mapped_column(sa.String(50), default="")
    leader: Mapped[str] = mapped_column(sa.String(50), default="")
    leader_phone_sealed: Mapped[bytes | None]
    contact: Mapped[str] = mapped_column(sa.String(50), default="")
    contact_phone_sealed: Mapped[bytes | None]
    address: Mapped[str] = mapped_column(sa.String(200), default="")
    school_opinion: Mapped[str] = mapped_column(sa.String(1000), default="")
    created_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    arrived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # the newest submission's
    correction_until: Mapped[date | None]
    unlocked: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)

    school: Mapped[School] = relationship()
    lines: Mapped[list[EvaluationLine]] = relationship(
        order_by=EvaluationLine.position, foreign_keys=EvaluationLine.evaluation_id
    )
    programmes: Mapped[list[TrainingProgramme]] = relationship(
        primaryjoin=lambda: sa.and_(
            TrainingProgramme.evaluation_id == SpecialtyEvaluation.id,
            TrainingProgramme.detached_at.is_(None),
        ),
        order_by="TrainingProgramme.id",
        viewonly=True,
    )
    submissions: Mapped[list[EvaluationSubmission]] = relationship(
        order_by="EvaluationSubmission.sequence"
    )
    panel: Mapped[Panel | None] = relationship(back_populates="evaluation")
    seals: Mapped[list[Seal]] = relationship(order_by="Seal.id")


class TrainingProgramme(db.Model):
    """A document attached for a specialty (人才培养方案); the file itself is in the storage.

    One that was taken off again stays: an earlier submission may rest on it.
    """

    __tablename__ = "training_programmes"

    id: Mapped[int] = mapped_column(primary_key=True)
    evaluation_id: Mapped[int] = mapped_column(
        sa.ForeignKey("specialty_evaluations.id"), index=True
    )
    specialty_id: Mapped[int] = mapped_column(sa.ForeignKey("specialties.id"))
    file_name: Mapped[str] = mapped_column(sa.String(255))
    media_type: Mapped[str] = mapped_column(sa.String(100))  # sniffed, never as declared
    size: Mapped[int]  # bytes
    sha256: Mapped[str] = mapped_column(sa.String(64))
    storage_key: Mapped[str] = mapped_column(sa.String(200))
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
    detached_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    specialty: Mapped[Specialty] = relationship()


class EvaluationSubmission(db.Model):
    """A frozen copy of what was handed in: canonical JSON, sealed, and its SHA-256."""

    __tablename__ = "evaluation_submissions"
    __table_args__ = (sa.UniqueConstraint("evaluation_id", "sequence"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    evaluation_id: Mapped[int] = mapped_column(sa.ForeignKey("specialty_evaluations.id"))
    sequence: Mapped[int]  # from 1
    arrived_at: Mapped[datetime] = mapped_column(UtcDateTime)
    content_sealed: Mapped[bytes]
    digest: Mapped[str] = mapped_column(sa.String(64))  # SHA-256 of the content, in hex
    submitted_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    signed_id: Mapped[int | None] = mapped_column(  # None: handed in without a key
        sa.ForeignKey("signed_submissions.id"), unique=True
    )

    signed: Mapped[SignedSubmission | None] = relationship()


class Seal(db.Model):
    """An office's seal on a panel's opinion form."""

    __tablename__ = "seals"
    __table_args__ = (sa.UniqueConstraint("evaluation_id", "role"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    evaluation_id: Mapped[int] = mapped_column(sa.ForeignKey("specialty_evaluations.id"))
    role: Mapped[Role] = mapped_column(choice(Role))
    affixed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    affixed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))

    affixed_by: Mapped[User | None] = relationship()


class Expert(db.Model):
    """A person of the expert pool: what they know, and whom they belong to."""

    __tablename__ = "experts"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), unique=True)
    employer: Mapped[str] = mapped_column(sa.String(200))
    employer_uscc: Mapped[str] = mapped_column(sa.String(18), default="")
    fields: Mapped[list[str]] = mapped_column(sa.JSON, default=list)  # occupations' names

    user: Mapped[User] = relationship()


class Panel(db.Model):
    """The experts convened for one application."""

    __tablename__ = "panels"

    id: Mapped[int] = mapped_column(primary_key=True)
    evaluation_id: Mapped[int] = mapped_column(
        sa.ForeignKey("specialty_evaluations.id"), unique=True
    )
    convened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_on: Mapped[date | None]

    evaluation: Mapped[SpecialtyEvaluation] = relationship(back_populates="panel")
    members: Mapped[list[PanelMember]] = relationship(
        back_populates="panel", order_by="PanelMember.id"
    )


class PanelMember(db.Model):
    """An expert on a panel; a recused one stays on record and another takes the place."""

    __tablename__ = "panel_members"
    __table_args__ = (sa.UniqueConstraint("panel_id", "expert_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    panel_id: Mapped[int] = mapped_column(sa.ForeignKey("panels.id"))
    expert_id: Mapped[int] = mapped_column(sa.ForeignKey("experts.id"), index=True)
    replaces_id: Mapped[int | None] = mapped_column(sa.ForeignKey("panel_members.id"), unique=True)
    recused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    recusal_reason: Mapped[str] = mapped_column(sa.String(500), default="")
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # all lines judged

    panel: Mapped[Panel] = relationship(back_populates="members")
    expert: Mapped[Expert] = relationship()
    opinions: Mapped[list[ExpertOpinion]] = relationship(back_populates="member")


class ExpertOpinion(db.Model):
    """What one expert holds of one line, and why."""

    __tablename__ = "expert_opinions"
    __table_args__ = (sa.UniqueConstraint("member_id", "line_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("panel_members.id"))
    line_id: Mapped[int] = mapped_column(sa.ForeignKey("evaluation_lines.id"), index=True)
    approves: Mapped[bool]
    reasons: Mapped[str] = mapped_column(sa.String(1000))

    member: Mapped[PanelMember] = relationship(back_populates="opinions")
