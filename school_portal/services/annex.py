"""Annex 1 as it was handed in last: what the offices and the experts read.

What the school changes while it corrects, or left unsubmitted when it withdrew, is not shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sqlalchemy.orm import Session

from school_portal.domain.projects import Project
from school_portal.domain.specialty_evaluation import ANNEX_FIELDS
from school_portal.models import (
    EvaluationLine,
    EvaluationSubmission,
    SpecialtyEvaluation,
    TrainingProgramme,
)
from school_portal.security.vault import Vault
from school_portal.services import submissions, training_programmes
from school_portal.services.access import NotFound
from school_portal.services.evaluations import SEALED_FIELDS


@dataclass(frozen=True, slots=True)
class Line:
    """A line as handed in; `now` is what became of it, None where the school took it off."""

    position: int
    specialty: str
    specialty_code: str
    project: Project
    now: EvaluationLine | None


@dataclass(frozen=True, slots=True)
class Annex:
    """The newest submission: fields with their names, lines, documents by specialty."""

    fields: list[tuple[str, str]]
    lines: list[Line]
    programmes: dict[str, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Resubmission:
    """A submission with what it changed of the one before."""

    submission: EvaluationSubmission
    differences: list[submissions.Difference]


def read(vault: Vault, evaluation: SpecialtyEvaluation, *, phones: bool) -> Annex:
    """Annex 1; telephone numbers only for those who deal with the school."""
    content = submissions.content_of(vault, evaluation.submissions[-1])
    now = {line.id: line for line in evaluation.lines}
    programmes: dict[str, list[dict[str, Any]]] = {}
    for row in content["programmes"]:
        programmes.setdefault(f"{row['specialty']} {row['specialty_code']}", []).append(row)
    return Annex(
        [
            (label, content["fields"][name])
            for name, label in ANNEX_FIELDS.items()
            if phones or name not in SEALED_FIELDS
        ],
        [_line(place, row, now) for place, row in enumerate(content["lines"], 1)],
        programmes,
    )


def _line(place: int, row: dict[str, Any], now: dict[int, EvaluationLine]) -> Line:
    project = Project.of_columns(row)
    return Line(place, row["specialty"], row["specialty_code"], project, now.get(row["id"]))


def resubmissions(vault: Vault, evaluation: SpecialtyEvaluation) -> list[Resubmission]:
    """Every submission after the first, the newest first, each compared with the one before."""
    contents = [submissions.content_of(vault, one) for one in evaluation.submissions]
    changed = [submissions.differences(before, after) for before, after in pairwise(contents)]
    made = zip(evaluation.submissions[1:], changed, strict=True)
    return [Resubmission(one, found) for one, found in made][::-1]


def programme(
    session: Session, vault: Vault, evaluation: SpecialtyEvaluation, programme_id: int
) -> TrainingProgramme:
    """A document that was handed in. Raises NotFound for one that only lies in a draft."""
    for submission in evaluation.submissions:
        content = submissions.content_of(vault, submission)
        if programme_id in {row["id"] for row in content["programmes"]}:
            return training_programmes.one(session, evaluation, programme_id)
    raise NotFound("TrainingProgramme")
