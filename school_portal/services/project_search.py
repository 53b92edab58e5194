"""Projects found by typing: those that filings in force carry (annex 1, note 3)."""

from __future__ import annotations

from datetime import date
from functools import cache

import sqlalchemy as sa
from pypinyin import Style, pinyin
from sqlalchemy.orm import Session

from school_portal.domain.facts import Node
from school_portal.domain.labels import fold
from school_portal.domain.levels import Level
from school_portal.domain.projects import Project
from school_portal.models import Body, BodyProject
from school_portal.services.public_register import Force, force

_SEPARATOR = "|"
MOST_SHOWN = 20  # of what a search finds; that there are more is said


def find(
    session: Session,
    text: str,
    on: date,
    *,
    cap: Level | None = None,
    node: Node | None = None,
) -> list[Project]:
    """The projects of filings in force on `on` whose code, name, direction or initials hold `text`.

    Those that begin with it come first. `cap`: none above that level; `node`: only those that a
    body of that type carries.
    """
    typed = fold(text).casefold()
    ranked = [
        (rank, project)
        for project in carried(session, on, node)
        if (cap is None or project.level >= cap) and (rank := _rank(project, typed)) is not None
    ]
    ranked.sort(key=lambda one: (one[0], one[1].base, -one[1].level))
    return [project for _, project in ranked]


def carried(session: Session, on: date, node: Node | None = None) -> set[Project]:
    """Every project of a body, of the node's types where one is given, in force on that day."""
    bodies = [
        body.id
        for body in session.scalars(sa.select(Body))
        if force(body, on) is Force.IN_FORCE and node in (None, body.type.node)
    ]
    rows = session.scalars(sa.select(BodyProject).where(BodyProject.body_id.in_(bodies)))
    return {row.project for row in rows}


def key_of(project: Project) -> str:
    """What stands for the project in a form: code|occupation|direction|level."""
    return _SEPARATOR.join(
        (project.code, project.occupation, project.direction, str(project.level.value))
    )


def parse_key(text: str) -> Project | None:
    """The project that a key names, registered or not; None for what is no key."""
    parts = text.split(_SEPARATOR)
    levels = {str(level.value): level for level in Level}
    if len(parts) != 4 or parts[3] not in levels:
        return None
    code, occupation, direction, level = parts
    return Project(code, occupation, direction, levels[level])


def _rank(project: Project, typed: str) -> int | None:
    """0 where code, name or direction begin with what was typed, 1 where they hold it."""
    texts = [fold(text).casefold() for text in (project.code, project.label, project.direction)]
    places = [text.find(typed) for text in texts]
    places += [_initials_at(fold(name), typed) for name in (project.occupation, project.direction)]
    found = [place for place in places if place >= 0]
    return min(1, *found) if found else None


def _initials_at(name: str, typed: str) -> int:
    """Where the name has these initials; -1 for nowhere."""
    letters = [_initials(character) for character in name]
    for place in range(len(letters) - len(typed) + 1):
        if all(one in letters[place + i] for i, one in enumerate(typed)):
            return place
    return -1


@cache
def _initials(character: str) -> frozenset[str]:
    """The first letters of every reading: 调 is read diào and tiáo."""
    readings = pinyin(character, style=Style.FIRST_LETTER, heteronym=True)
    return frozenset(letter.casefold() for letter in readings[0])
