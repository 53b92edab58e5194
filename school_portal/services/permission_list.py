"""Permissions as lists: a school's own, and the centre's by state and school."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from school_portal.domain.permission import PermissionState
from school_portal.domain.windows import Period
from school_portal.models import Permission, PermissionRequest, School, StateChange
from school_portal.services.access import NotFound


@dataclass(frozen=True, slots=True)
class Listed:
    """A permission, its application, its latest decision, and whether it is in force."""

    permission: Permission
    request: PermissionRequest | None
    decision: StateChange | None
    in_force: bool


def counts(session: Session, school_id: int | None = None) -> dict[PermissionState, int]:
    """How many there are in each state, of one school or of all."""
    query = sa.select(Permission.state, sa.func.count()).group_by(Permission.state)
    if school_id is not None:
        query = query.where(Permission.school_id == school_id)
    return dict(session.execute(query).all())


def page(
    session: Session,
    on: date,
    *,
    state: PermissionState | None = None,
    school_id: int | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> list[Listed]:
    """The permissions of that state and school; what waits is listed the oldest first."""
    query = sa.select(Permission).options(joinedload(Permission.school))
    if state is not None:
        query = query.where(Permission.state == state)
    if school_id is not None:
        query = query.where(Permission.school_id == school_id)
    order = Permission.id if state is PermissionState.REQUESTED else Permission.id.desc()
    return _listed(
        session, session.scalars(query.order_by(order).limit(limit).offset(offset)).all(), on
    )


def _listed(session: Session, found: Sequence[Permission], on: date) -> list[Listed]:
    requests = _requests(session, found)
    decisions = _decisions(session, found)
    return [
        Listed(
            one,
            requests.get(one.request_id),
            decisions.get(one.subject),
            one.state is PermissionState.GRANTED and Period(one.starts_on, one.ends_on).covers(on),
        )
        for one in found
    ]


def request(session: Session, request_id: int) -> PermissionRequest:
    """That application. Raises NotFound."""
    found = session.get(PermissionRequest, request_id)
    if found is None:
        raise NotFound("PermissionRequest")
    return found


def of_request(session: Session, request: PermissionRequest, on: date) -> list[Listed]:
    """What was asked for together, in its order."""
    return _listed(session, request.lines, on)


def schools(session: Session) -> Sequence[School]:
    """The schools that have or ask for permissions, by name."""
    having = sa.select(Permission.school_id)
    return session.scalars(
        sa.select(School).where(School.id.in_(having)).order_by(School.name)
    ).all()


def _requests(session: Session, found: Sequence[Permission]) -> dict[int | None, PermissionRequest]:
    ids = {one.request_id for one in found if one.request_id is not None}
    requests = session.scalars(sa.select(PermissionRequest).where(PermissionRequest.id.in_(ids)))
    return {one.id: one for one in requests}


def _decisions(session: Session, found: Sequence[Permission]) -> dict[str, StateChange]:
    """The latest change of each that was decided."""
    changes = session.scalars(
        sa.select(StateChange)
        .where(StateChange.subject.in_([one.subject for one in found]))
        .options(joinedload(StateChange.user))
        .order_by(StateChange.id)
    )
    return {change.subject: change for change in changes}
