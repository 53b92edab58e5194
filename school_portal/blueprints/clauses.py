"""The notices' own words for every clause that a refusal cites."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_JOINT = "；"


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause as it is cited; `id` is empty where its wording is not at hand."""

    id: str
    citation: str
    notice: str = ""
    text: str = ""

    @property
    def paragraphs(self) -> list[str]:
        return self.text.splitlines()


@cache
def all_clauses() -> dict[str, Clause]:
    """Every clause by its id."""
    source = files("school_portal").joinpath("data/clauses.toml").read_text("utf-8")
    return {one["id"]: Clause(**one) for one in tomllib.loads(source)["clause"]}


@cache
def cited(citation: str) -> tuple[Clause, ...]:
    """The clauses of a citation (`…；…`), in its order."""
    known = {clause.citation: clause for clause in all_clauses().values()}
    return tuple(known.get(part, Clause("", part)) for part in citation.split(_JOINT))
