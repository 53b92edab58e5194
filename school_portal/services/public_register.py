"""The public register of evaluation bodies (rulebook 10, 1): what is not in force is marked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from school_portal.domain.eligibility import BodyState
from school_portal.domain.levels import Level
from school_portal.domain.projects import Occupation
from school_portal.models import Body, BodyProject


class Force(StrEnum):
    """Whether a filing is in force on a day."""

    IN_FORCE = "in_force"
    NOT_YET = "not_yet"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for; an empty field asks nothing."""

    occupation: str = ""
    level: int | None = None
    body: str = ""
    district: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A body with the projects that were asked for, each occupation with its levels."""

    body: Body
    force: Force
    projects: list[tuple[Occupation, list[Level]]]


def force(body: Body, on: date) -> Force:
    """The state of a body's filing on that day."""
    if body.state is not BodyState.ACTIVE and (body.state_on is None or body.state_on <= on):
        return Force.SUSPENDED if body.state is BodyState.SUSPENDED else Force.ENDED
    if body.filed_from is not None and on < body.filed_from:
        return Force.NOT_YET
    if body.filed_until is not None and body.filed_until < on:
        return Force.EXPIRED
    return Force.IN_FORCE


def count(session: Session, query: Query) -> int:
    """How many bodies there are."""
    found = sa.select(sa.func.count()).select_from(Body).where(*_conditions(query))
    return session.scalar(found) or 0


def search(session: Session, query: Query, on: date, *, limit: int, offset: int) -> list[Entry]:
    """The bodies, by name."""
    bodies = session.scalars(
        sa.select(Body)
        .where(*_conditions(query))
        .options(selectinload(Body.projects))
        .order_by(Body.name, Body.id)
        .limit(limit)
        .offset(offset)
    )
    return [Entry(body, force(body, on), _grouped(_asked(query, body.projects))) for body in bodies]


def districts(session: Session) -> Sequence[str]:
    """The districts there are bodies in."""
    found = sa.select(Body.district).where(Body.district != "").distinct().order_by(Body.district)
    return session.scalars(found).all()


def _conditions(query: Query) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if query.body:
        conditions.append(
            Body.name.contains(query.body, autoescape=True)
            | (Body.uscc == query.body.upper())
            | (Body.filing_no == query.body)
        )
    if query.district:
        conditions.append(Body.district == query.district)
    carried = _carried(query)
    if carried:
        conditions.append(
            sa.exists().where(BodyProject.body_id == Body.id, *carried).correlate(Body)
        )
    return conditions


def _carried(query: Query) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if query.occupation:
        conditions.append(
            BodyProject.occupation.contains(query.occupation, autoescape=True)
            | BodyProject.direction.contains(query.occupation, autoescape=True)
            | (BodyProject.occupation_code == query.occupation)
        )
    if query.level is not None:
        conditions.append(BodyProject.level == query.level)
    return conditions


def _asked(query: Query, projects: Iterable[BodyProject]) -> list[BodyProject]:
    text = query.occupation.casefold()
    return [
        one
        for one in projects
        if (query.level is None or one.level == query.level)
        and (
            text in one.occupation.casefold()
            or text in one.direction.casefold()
            or text == one.occupation_code
        )
    ]


def _grouped(projects: list[BodyProject]) -> list[tuple[Occupation, list[Level]]]:
    levels: dict[Occupation, list[Level]] = {}
    for one in sorted(projects, key=lambda p: (p.occupation_code, p.direction, -p.level)):
        levels.setdefault(one.project.base, []).append(Level(one.level))
    return list(levels.items())
