"""Windows that a receiving office opens beyond April and October (rulebook 3, **policy**)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from school_portal.domain.levels import TrainingLevel
from school_portal.domain.specialty_evaluation import RECEIVERS
from school_portal.domain.texts import trimmed
from school_portal.domain.windows import TZ
from school_portal.models import ExtraWindow, School
from school_portal.security import audit
from school_portal.services.access import Actor, NotFound, Refused
from school_portal.services.portal import Portal


def level_of(actor: Actor) -> TrainingLevel:
    """The training level whose applications the actor's office receives. Raises Refused."""
    for level, role in RECEIVERS.items():
        if role is actor.role:
            return level
    raise Refused("受理期由受理单位增开，请联系市教委教研室或市教委职教处。")


def listed(session: Session, actor: Actor) -> Sequence[ExtraWindow]:
    """The office's own windows, the latest first; all offices' for whoever is none."""
    found = sa.select(ExtraWindow).options(
        joinedload(ExtraWindow.school), joinedload(ExtraWindow.opened_by)
    )
    if actor.role in RECEIVERS.values():
        found = found.where(ExtraWindow.role == actor.role)
    order = found.order_by(ExtraWindow.starts_on.desc(), ExtraWindow.id.desc())
    return session.scalars(order).all()


def schools(session: Session, level: TrainingLevel) -> list[School]:
    """The schools that have the training level, by name."""
    found = session.scalars(sa.select(School).order_by(School.name, School.id))
    return [school for school in found if level in school.levels]


def open_(
    session: Session,
    portal: Portal,
    actor: Actor,
    starts_on: date,
    ends_on: date,
    reason: str,
    school: School | None = None,
) -> ExtraWindow:
    """Receive on those days too, both counted, from one school or, with none, from all.

    What touches or overlaps another window makes one with it. Raises Refused for whoever receives
    nothing, a school without the level, an end before the start or in the past, or no reason.
    """
    level = level_of(actor)
    if school is not None and level not in school.levels:
        raise Refused(f"“{school.name}”没有{level.label}层次，不由本单位受理，请另选学校。")
    if ends_on < starts_on:
        raise Refused(f"截止日期 {ends_on} 早于开始日期 {starts_on}，请核对后改正。")
    if ends_on < portal.today():
        raise Refused(f"截止日期 {ends_on} 已经过去，请填写今天或以后的日期。")
    if not trimmed(reason):
        raise Refused("请写明增开受理期的理由。")
    made = ExtraWindow(
        role=actor.role,
        school_id=school.id if school else None,
        starts_on=starts_on,
        ends_on=ends_on,
        reason=trimmed(reason),
        opened_at=portal.clock(),
        opened_by_id=actor.user_id,
    )
    session.add(made)
    session.flush()
    audit.record(
        session,
        actor.label,
        "window.open",
        f"window:{made.id}",
        at=made.opened_at,
        school=made.school_id,
        starts_on=starts_on.isoformat(),
        ends_on=ends_on.isoformat(),
    )
    return made


def end(session: Session, portal: Portal, actor: Actor, window_id: int) -> ExtraWindow:
    """Take a window back; what arrived in it stays received.

    Raises NotFound for another office's, Refused where it has ended already.
    """
    level_of(actor)
    found = session.scalar(
        sa.select(ExtraWindow)
        .where(ExtraWindow.id == window_id, ExtraWindow.role == actor.role)
        .with_for_update()
    )
    if found is None:
        raise NotFound("ExtraWindow")
    if found.ended_at is not None:
        raise Refused(f"该受理期已于 {found.ended_at.astimezone(TZ):%Y-%m-%d %H:%M} 提前结束。")
    if found.ends_on < portal.today():
        raise Refused(f"该受理期已于 {found.ends_on} 24:00 结束。")
    found.ended_at = portal.clock()
    audit.record(session, actor.label, "window.end", f"window:{found.id}", at=found.ended_at)
    return found
