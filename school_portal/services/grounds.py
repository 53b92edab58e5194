"""What a permission would rest on: evaluation lines, their seals, bodies (rulebook 4, 5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from school_portal.domain.projects import Project
from school_portal.domain.windows import Period
from school_portal.models import (
    Body,
    EvaluationLine,
    Permission,
    Seal,
    Specialty,
    SpecialtyEvaluation,
)
from school_portal.services.carriers import carriers


@dataclass(frozen=True, slots=True)
class EvaluatedLine:
    """An evaluation line in force; no number and no seals where it came with the opening data."""

    line: EvaluationLine
    number: str | None
    seals: Sequence[Seal]


@dataclass(frozen=True, slots=True)
class Grounds:
    """The lines in force for exactly the permission's project, and the bodies that carry it."""

    permission: Permission
    lines: Sequence[EvaluatedLine]
    bodies: Sequence[Body]


def grounds(session: Session, permissions: Sequence[Permission], on: date) -> list[Grounds]:
    """What each permission, written or only wanted, rests on that day."""
    lines = _lines(session, {one.school_id for one in permissions}, on)
    carried = carriers(session, on)
    return [
        Grounds(
            one,
            lines.get((one.school_id, one.project), []),
            [body for body in carried.get(one.project, []) if one.node in (None, body.type.node)],
        )
        for one in permissions
    ]


def _lines(
    session: Session, schools: set[int], on: date
) -> dict[tuple[int, Project], list[EvaluatedLine]]:
    query = (
        sa.select(EvaluationLine, SpecialtyEvaluation)
        .join(EvaluationLine.specialty)
        .outerjoin(SpecialtyEvaluation, SpecialtyEvaluation.id == EvaluationLine.evaluation_id)
        .where(Specialty.school_id.in_(schools), EvaluationLine.took_effect())
        .options(joinedload(EvaluationLine.specialty))
        .order_by(EvaluationLine.id)
    )
    found: dict[tuple[int, Project], list[EvaluatedLine]] = defaultdict(list)
    for line, evaluation in session.execute(query):
        if Period(line.starts_on, line.ends_on).covers(on):
            number, seals = (evaluation.number, evaluation.seals) if evaluation else (None, [])
            evaluated = EvaluatedLine(line, number, seals)
            found[line.specialty.school_id, line.project].append(evaluated)
    return found
