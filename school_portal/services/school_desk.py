"""What a school finds on its desk: its rosters, what is authorised, whom a number names."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.windows import Period
from school_portal.models import (
    Body,
    Cooperation,
    EvaluationLine,
    Roster,
    School,
    Specialty,
    Student,
)
from school_portal.services.carriers import carriers


def count_rosters(session: Session, school: School) -> int:
    counted = sa.select(sa.func.count()).select_from(Roster).where(Roster.school_id == school.id)
    return session.scalar(counted) or 0


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
