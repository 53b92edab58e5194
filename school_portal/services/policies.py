"""The policy settings in force, and their changes (rulebook, every **policy**)."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from school_portal.domain.policy import SETTINGS, Policy, parse_setting, shown_setting
from school_portal.domain.texts import trimmed
from school_portal.domain.workflow import Role
from school_portal.models import PolicyChange
from school_portal.security import audit
from school_portal.services.access import Actor, NotFound, Refused
from school_portal.services.portal import Portal


def current(session: Session) -> Policy:
    """The settings in force: the defaults, each overridden by its newest change."""
    newest = sa.select(sa.func.max(PolicyChange.id)).group_by(PolicyChange.name)
    found = session.execute(
        sa.select(PolicyChange.name, PolicyChange.new).where(PolicyChange.id.in_(newest))
    )
    return Policy(**{name: value for name, value in found if name in SETTINGS})


def history(session: Session, name: str) -> Sequence[PolicyChange]:
    """All changes of a setting, the newest first. Raises NotFound for a name of none."""
    if name not in SETTINGS:
        raise NotFound("Policy")
    return session.scalars(
        sa.select(PolicyChange)
        .where(PolicyChange.name == name)
        .options(joinedload(PolicyChange.user))
        .order_by(PolicyChange.id.desc())
    ).all()


def change(
    session: Session, portal: Portal, actor: Actor, name: str, text: str, reason: str
) -> PolicyChange:
    """Set one setting, `text` as typed: who, when, from what to what and why is kept.

    Raises NotFound for a name of none; Refused for whoever is not the bureau (rulebook 1), for a
    value that does not fit, for the value that holds already, and without a reason.
    """
    if name not in SETTINGS:
        raise NotFound("Policy")
    if actor.role is not Role.BUREAU:
        raise Refused(f"规则设置由{Role.BUREAU.label}更改，请联系该局办理。")
    if not trimmed(reason):
        raise Refused("请写明更改的理由。")
    try:
        new = parse_setting(name, text)
    except ValueError as error:
        raise Refused(str(error)) from None
    old = getattr(current(session), name)
    if new == old:
        title = SETTINGS[name].metadata["name"]
        raise Refused(f"“{title}”现在就是“{shown_setting(old)}”，没有更改。")
    made = PolicyChange(
        name=name,
        old=old,
        new=new,
        at=portal.clock(),
        user_id=actor.user_id,
        reason=trimmed(reason),
    )
    session.add(made)
    session.flush()
    audit.record(
        session, actor.label, "policy.change", f"policy:{name}", at=made.at, old=old, new=new
    )
    return made
