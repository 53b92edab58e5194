"""How the tests read: in this process, or through the sandbox."""

import io
from typing import Any

from importers.limits import LIMITS, Limits, Refused
from importers.roster import Chunk, FileFacts, RejectedRow, read_book
from importers.sandbox import read_roster
from school_portal.domain.roster import RosterRow
from school_portal.domain.violations import Issue
from tests.files.rosters import CONTEXT, student, table, xlsx


class Outcome:
    """All chunks of a reading together."""

    def __init__(self, chunks: list[Chunk]) -> None:
        self.rows: list[RosterRow] = [row for chunk in chunks for row in chunk.rows]
        self.issues: list[Issue] = [one for chunk in chunks for one in chunk.issues]
        self.rejected: list[RejectedRow] = [one for chunk in chunks for one in chunk.rejected]
        self.facts: FileFacts | None = chunks[-1].facts if chunks else None

    @property
    def places(self) -> list[tuple[int | None, str | None, str]]:
        """Row, column and code of each issue."""
        return [(one.row, one.column, one.code) for one in self.issues]


def read(data: bytes, sheet: str | None = None, limits: Limits = LIMITS) -> Outcome:
    """Reads in this process; a refusal comes as its issue."""
    try:
        return Outcome(list(read_book(data, CONTEXT, sheet, limits)))
    except Refused as refused:
        return Outcome([Chunk([], [refused.issue], [], 0, None)])


def read_apart(data: bytes, name: str = "名册.xlsx", **options: Any) -> Outcome:
    """Reads as users do, in a process of its own."""
    return Outcome(list(read_roster(io.BytesIO(data), name, CONTEXT, **options)))


def refusal(data: bytes, limits: Limits = LIMITS) -> str | None:
    """The code of the refusal of the whole file."""
    issues = read(data, limits=limits).issues
    return next((one.code for one in issues if one.row is None and one.severity == "error"), None)


def check(**changed: Any) -> Outcome:
    """Reads a workbook of one student with these cells."""
    return read(xlsx(table(student(1, **changed))))
