"""Choosing projects without a script: what is ticked travels with each search."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import request
from sqlalchemy.orm import Session

from school_portal.blueprints.asking import all_named
from school_portal.domain.facts import Node
from school_portal.domain.levels import Level
from school_portal.domain.projects import Project
from school_portal.domain.texts import trimmed
from school_portal.services.portal import current_portal
from school_portal.services.project_search import MOST_SHOWN, find, key_of, parse_key

_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Choice:
    """What was typed, what is chosen so far, and what else was found; pairs of key and project."""

    text: str
    chosen: Sequence[tuple[str, Project]]
    found: Sequence[tuple[str, Project]]
    more: bool  # than are found here


def searched() -> dict[str, Any] | None:
    """The query of the page to show next where the form was sent to search, else None."""
    if request.form.get("go") != "search":
        return None
    return {"q": trimmed(request.form.get("q", ""))[:_LONGEST], "_anchor": "lines"}


def asked() -> list[Project]:
    """The projects that this request ticks, each once; ends it with 400 for what is no key."""
    return list(dict.fromkeys(all_named("project", _project)))


def _project(key: str) -> Project:
    found = parse_key(key)
    if found is None:
        raise ValueError("no project's key")
    return found


def keys(projects: Iterable[Project]) -> list[str]:
    """What stands for the projects in an address."""
    return [key_of(one) for one in projects]


def choice(
    session: Session, chosen: Iterable[Project], *, cap: Level, node: Node | None = None
) -> Choice:
    """The chosen ones, and what the address's search finds beside them, nothing above the cap."""
    text, chosen = trimmed(request.args.get("q", ""))[:_LONGEST], list(chosen)
    found = find(session, text, current_portal().today(), cap=cap, node=node)
    others = [(key_of(one), one) for one in found if one not in chosen]
    return Choice(
        text,
        [(key_of(one), one) for one in chosen],
        others[:MOST_SHOWN],
        len(others) > MOST_SHOWN,
    )
