"""CRLs past their dates that count all the same, for a time, by an administrator's word."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.texts import trimmed
from school_portal.domain.workflow import Role
from school_portal.models import CrlOverride
from school_portal.security import audit
from school_portal.security.ca.trust import Trust
from school_portal.services.access import Actor, NotFound, Refused
from school_portal.services.portal import Portal

HOURS = range(1, 25)


def in_force(session: Session, now: datetime) -> CrlOverride | None:
    """The one that holds at that instant."""
    holds = (CrlOverride.granted_at <= now, CrlOverride.until > now)
    newest = CrlOverride.id.desc()
    return session.scalars(sa.select(CrlOverride).where(*holds).order_by(newest)).first()


def applied(session: Session, trust: Trust, now: datetime) -> Trust:
    """What is trusted, with the override that holds at that instant."""
    found = in_force(session, now)
    return replace(trust, override=found.id) if found else trust


def grant(session: Session, portal: Portal, actor: Actor, hours: int, reason: str) -> CrlOverride:
    """From now on, for so many hours.

    Raises Refused for whoever is no administrator, hours out of range, no reason, no CRLs
    configured, or where one holds already.
    """
    now, told = portal.clock(), trimmed(reason)
    user_id = _administrator(actor)
    if portal.settings.ca_crls is None:
        raise Refused("没有设置证书吊销列表，不需要放行。")
    if hours not in HOURS:
        raise Refused(f"有效小时数须为 {HOURS.start} 至 {HOURS.stop - 1} 的整数，请重新填写。")
    if not told:
        raise Refused("请写明放行的理由。")
    if in_force(session, now):
        raise Refused("已有放行在有效期内，请先提前结束，再重新放行。")
    made = CrlOverride(
        granted_at=now, until=now + timedelta(hours=hours), reason=told, granted_by_id=user_id
    )
    session.add(made)
    session.flush()
    subject, until = f"crl-override:{made.id}", made.until.isoformat()
    audit.record(session, actor.label, "crl-override.grant", subject, at=now, until=until)
    return made


def end(session: Session, portal: Portal, actor: Actor, override_id: int) -> None:
    """Before its time. Raises Refused for all but administrators, NotFound where it is over."""
    _administrator(actor)
    now = portal.clock()
    found = session.get(CrlOverride, override_id, with_for_update=True)
    if found is None or found.until <= now:
        raise NotFound("CrlOverride")
    found.until = now
    subject = f"crl-override:{found.id}"
    audit.record(session, actor.label, "crl-override.end", subject, at=now)


def _administrator(actor: Actor) -> int:
    if actor.role is not Role.ADMIN or actor.user_id is None:
        raise Refused("只有系统管理员可以放行过期的证书吊销列表。")
    return actor.user_id
