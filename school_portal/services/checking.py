"""A roster file judged row by row: by its reader, and against what the school has saved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, BinaryIO

import sqlalchemy as sa
from sqlalchemy.orm import Session

from importers.lookups import Context
from importers.roster import FileFacts
from importers.sandbox import read_roster
from school_portal.domain.violations import Issue
from school_portal.models import Body, Specialty
from school_portal.services.comparing import Compared, Comparison
from school_portal.services.opening import register
from school_portal.services.portal import Portal


@dataclass(slots=True)
class Checked:
    """Some of a file's rows, judged; `done` of `total` are read, the last step has the facts."""

    compared: list[Compared]
    issues: list[Issue]
    done: int
    total: int | None
    facts: FileFacts | None


@dataclass(slots=True)
class Verdict:
    """What a whole file comes to, once every step was added."""

    passed: int = 0
    refusals: list[Issue] = field(default_factory=list)
    known: FileFacts | None = None

    def add(self, step: Checked) -> None:
        """Counts one step."""
        self.passed += len(step.compared)
        self.refusals += filter(_refuses_file, step.issues)
        self.known = step.facts or self.known

    @property
    def facts(self) -> FileFacts:
        """Of the file. Raises RuntimeError before the last step."""
        if self.known is None:
            raise RuntimeError("the reader ended without the file's facts")
        return self.known

    @property
    def accepted(self) -> int:
        """Rows that may be saved: none of a file that is refused."""
        return 0 if self.refusals else self.passed

    @property
    def rejected(self) -> int:
        """Rows that may not; none where it is the file that is refused."""
        return 0 if self.refusals else self.facts.rows - self.passed


def _refuses_file(found: Issue) -> bool:
    """Whether the finding concerns the whole file, so that none of its rows counts."""
    return found.row is None and found.severity == "error"


def context(session: Session, school_id: int | None, today: date) -> Context:
    """What a school's rows may refer to: its specialties, the register, the bodies."""
    specialties = session.execute(
        sa.select(Specialty.code, Specialty.name, Specialty.training_level)
        .where(Specialty.school_id == school_id)
        .order_by(Specialty.code, Specialty.training_level)
    )
    bodies = session.execute(sa.select(Body.uscc, Body.name).order_by(Body.uscc))
    return Context(
        specialties=tuple((code, name, level) for code, name, level in specialties),
        occupations=tuple(sorted(register(session))),
        bodies=tuple((uscc, name) for uscc, name in bodies),
        today=today,
    )


def check(
    session: Session,
    portal: Portal,
    school_id: int,
    source: BinaryIO,
    file_name: str,
    *,
    sheet: str | None = None,
    today: date,
) -> Iterator[Checked]:
    """Read a file in the child process and judge its rows, a chunk at a time; writes nothing."""
    comparison = Comparison(session, portal, school_id)
    rows_in = context(session, school_id, today)
    for chunk in read_roster(source, file_name, rows_in, sheet=sheet):
        compared, refused = comparison.compare(chunk.rows)
        refused += comparison.refusals(chunk.rejected)
        issues = sorted([*chunk.issues, *refused], key=lambda found: found.row or 0)
        yield Checked(compared, issues, chunk.done, chunk.total, chunk.facts)


def check_document(
    session: Session,
    portal: Portal,
    school_id: int,
    source: BinaryIO,
    file_name: str,
    *,
    sheet: str | None = None,
    today: date,
) -> dict[str, Any]:
    """The contract's document of `roster check`."""
    verdict = Verdict()
    issues: list[Issue] = []
    for step in check(session, portal, school_id, source, file_name, sheet=sheet, today=today):
        verdict.add(step)
        issues += step.issues
    return document(
        asdict(verdict.facts), verdict.accepted, verdict.rejected, verdict.refusals or issues
    )


def document(
    facts: dict[str, Any], accepted: int, rejected: int, issues: list[Issue]
) -> dict[str, Any]:
    """The contract's document of a file: its facts, its rows counted, its issues in their order."""
    return {
        "file": facts,
        "accepted": accepted,
        "rejected": rejected,
        "issues": [asdict(found) for found in sorted(issues, key=lambda i: i.row or 0)],
    }
