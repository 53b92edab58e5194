"""What a school finds on its desk: where things stand, what to do next, what is authorised."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.group_application import ApplicationState
from school_portal.domain.roster import RosterState
from school_portal.domain.windows import Period
from school_portal.models import (
    ApplicationMember,
    Body,
    Cooperation,
    EvaluationLine,
    GroupApplication,
    Permission,
    Roster,
    School,
    Specialty,
    Student,
)
from school_portal.services.carriers import carriers

UNFINISHED = (
    RosterState.UPLOADED,
    RosterState.READING,
    RosterState.CHECKED,
    RosterState.CONFIRMED,
)


class AccountState(StrEnum):
    """Whether the school's account passes `ACCOUNT` on a day."""

    NOT_OPEN = "not_open"
    OPEN = "open"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a school stands.

    `unplanned` students are in no open application; `generated` says that applications were made
    since the last roster was saved, so that the rest are those whom the rules keep out.
    """

    account: AccountState
    rosters: Sequence[Roster]
    students: int
    unplanned: int
    drafts: int
    generated: bool


def account_state(school: School, on: date) -> AccountState:
    if school.opened_on is None or school.opened_on > on:
        return AccountState.NOT_OPEN
    if school.stopped_on is not None and school.stopped_on <= on:
        return AccountState.STOPPED
    return AccountState.OPEN


def desk(session: Session, school: School, on: date) -> Desk:
    """Everything the school's home needs, in a handful of counts."""
    students = _count(session, Student, Student.school_id == school.id)
    planned = session.scalar(
        sa.select(sa.func.count(sa.distinct(ApplicationMember.student_id)))
        .join(GroupApplication)
        .where(GroupApplication.school_id == school.id, ApplicationMember.is_open)
    )
    return Desk(
        account=account_state(school, on),
        rosters=session.scalars(
            sa.select(Roster)
            .where(Roster.school_id == school.id, Roster.state.in_(UNFINISHED))
            .order_by(Roster.uploaded_at.desc(), Roster.id.desc())
        ).all(),
        students=students,
        unplanned=students - (planned or 0),
        drafts=_count(
            session,
            GroupApplication,
            GroupApplication.school_id == school.id,
            GroupApplication.state == ApplicationState.DRAFT,
        ),
        generated=_generated(session, school),
    )


def _generated(session: Session, school: School) -> bool:
    made = session.scalar(
        sa.select(sa.func.max(GroupApplication.created_at)).where(
            GroupApplication.school_id == school.id
        )
    )
    saved = session.scalar(
        sa.select(sa.func.max(Roster.applied_at)).where(Roster.school_id == school.id)
    )
    return made is not None and (saved is None or made >= saved)


def _count(session: Session, model: type, *conditions: sa.ColumnElement[bool]) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(model).where(*conditions)) or 0


def count_rosters(session: Session, school: School) -> int:
    return _count(session, Roster, Roster.school_id == school.id)


def rosters(session: Session, school: School, *, limit: int, offset: int) -> Sequence[Roster]:
    """The school's rosters, the newest first."""
    return session.scalars(
        sa.select(Roster)
        .where(Roster.school_id == school.id)
        .order_by(Roster.uploaded_at.desc(), Roster.id.desc())
        .limit(limit)
        .offset(offset)
    ).all()


@dataclass(frozen=True, slots=True)
class SpecialtyLines:
    """A specialty, its evaluation lines and whether each is in force, the bodies to choose from."""

    specialty: Specialty
    lines: list[tuple[EvaluationLine, bool]]
    bodies: list[Body]


def specialties(session: Session, school: School, on: date) -> list[SpecialtyLines]:
    """The school's specialties by code.

    The bodies are those whose filing is in force and carries a project of a line in force.
    """
    lines: dict[int, list[tuple[EvaluationLine, bool]]] = defaultdict(list)
    for line in session.scalars(
        sa.select(EvaluationLine)
        .join(Specialty)
        .where(Specialty.school_id == school.id, EvaluationLine.took_effect())
        .order_by(EvaluationLine.occupation_code, EvaluationLine.level.desc())
    ):
        in_force = Period(line.starts_on, line.ends_on).covers(on)
        lines[line.specialty_id].append((line, in_force))
    carried = carriers(session, on)
    bodies: dict[int, set[Body]] = defaultdict(set)
    for specialty_id, found in lines.items():
        for line, good in found:
            bodies[specialty_id].update(carried[line.project] if good else ())
    return [
        SpecialtyLines(
            specialty,
            lines[specialty.id],
            sorted(bodies[specialty.id], key=lambda body: (body.name, body.id)),
        )
        for specialty in school.specialties
    ]


def permissions(session: Session, school: School) -> Sequence[Permission]:
    """The school's permissions, by occupation and level."""
    return session.scalars(
        sa.select(Permission)
        .where(Permission.school_id == school.id, Permission.took_effect())
        .order_by(Permission.occupation_code, Permission.direction, Permission.level.desc())
    ).all()


def cooperations(session: Session, school: School) -> Sequence[Cooperation]:
    """The cooperation agreements on file."""
    return session.scalars(
        sa.select(Cooperation).where(Cooperation.school_id == school.id).order_by(Cooperation.id)
    ).all()


def students_by_number(
    session: Session, school: School, numbers: Iterable[str]
) -> dict[str, Student]:
    """The school's students of those numbers."""
    found = session.scalars(
        sa.select(Student)
        .where(Student.school_id == school.id, Student.student_no.in_(list(numbers)))
        .options(sa.orm.joinedload(Student.specialty))
    )
    return {student.student_no: student for student in found}


def count_by_specialty(session: Session, school: School, numbers: Iterable[str]) -> dict[int, int]:
    """How many of the students of those numbers each specialty has."""
    wanted = set(numbers)
    found = session.execute(
        sa.select(Student.student_no, Student.specialty_id).where(Student.school_id == school.id)
    )
    return Counter(specialty_id for number, specialty_id in found if number in wanted)
