"""The key pairs that a school signed with, and those that wait for the centre (rulebook 6, 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.school_key import KEY_WORKFLOW, KeyAction, KeyState
from school_portal.domain.texts import trimmed
from school_portal.domain.workflow import Role
from school_portal.models import School, SchoolKey, StateChange
from school_portal.security.ca.certificates import Certificate
from school_portal.security.ca.verification import CaRefused, Code
from school_portal.services import policies
from school_portal.services.access import Actor, NotFound, Refused
from school_portal.services.portal import Portal
from school_portal.services.transitions import apply, history

REFUSED = "这把密钥经市职业技能鉴定中心审核，不予核准，不能使用。理由："


class NotAccepted(CaRefused):
    """A key pair that waits for the centre, or that it refused: `told` says why.

    Whoever catches it commits: that the key pair waits is on record, and is told once.
    """

    def __init__(self, reason: str = "") -> None:
        super().__init__(Code.KEY_NOT_ACCEPTED, f"{REFUSED}{reason}" if reason else "")


@dataclass(frozen=True, slots=True)
class Listed:
    """A key pair, and what the centre decided of it last; None where it decided nothing."""

    key: SchoolKey
    decision: StateChange | None


def meet(session: Session, school: School, certificate: Certificate, at: datetime) -> None:
    """Note that the key pair is used for the school whose keyID it has, where it may be.

    The certificate was verified, and the school is locked by the caller. Raises NotAccepted.
    """
    key = _known(session, school, certificate, at)
    if key.state is KeyState.REFUSED:
        decision = _decision(session, key)
        raise NotAccepted(decision.reason if decision else "")
    key.certificate_sha256 = certificate.fingerprint
    key.not_before, key.not_after = certificate.not_before, certificate.not_after
    if key.state is not KeyState.ACCEPTED:
        _judge(session, key, at)
    key.last_used_at = at


def _known(session: Session, school: School, certificate: Certificate, at: datetime) -> SchoolKey:
    """The key pair's row; made where there is none, not in use yet."""
    fingerprint = certificate.key.fingerprint
    found = session.scalar(
        sa.select(SchoolKey).where(
            SchoolKey.school_id == school.id, SchoolKey.public_key_sha256 == fingerprint
        )
    )
    if found is None:
        found = SchoolKey(
            school=school,
            public_key_sha256=fingerprint,
            state=KeyState.NOT_IN_USE,
            first_seen_at=at,
        )
        session.add(found)
    return found


def _judge(session: Session, key: SchoolKey, at: datetime) -> None:
    """Take it into use, or have it wait. Raises NotAccepted."""
    certificate = key.certificate_sha256.hex()
    if not _in_use(session, key.school):
        action = KeyAction.USE
    elif not policies.current(session).renewed_key_waits:
        action = KeyAction.RENEW
    elif key.state is KeyState.WAITING:
        raise NotAccepted
    else:
        action = KeyAction.WAIT
    apply(session, KEY_WORKFLOW, key, action, Role.SYSTEM, at=at, certificate=certificate)
    if action is KeyAction.WAIT:
        raise NotAccepted


def _in_use(session: Session, school: School, *more: KeyState) -> Sequence[SchoolKey]:
    """The school's accepted key pairs, and those in `more` states."""
    return session.scalars(
        sa.select(SchoolKey)
        .where(SchoolKey.school_id == school.id, SchoolKey.state.in_((KeyState.ACCEPTED, *more)))
        .order_by(SchoolKey.id)
    ).all()


def stop(session: Session, school: School, at: datetime, actor: Actor | None = None) -> None:
    """The account was given its keyID anew: its first key pair from now on is taken unasked.

    What the centre refused stays refused.
    """
    role = (actor and actor.role) or Role.SYSTEM
    for key in _in_use(session, school, KeyState.WAITING):
        apply(session, KEY_WORKFLOW, key, KeyAction.STOP, role, actor=actor, at=at)


def accept(session: Session, portal: Portal, actor: Actor, key: SchoolKey) -> None:
    """The centre's word that the key pair is the school's. Raises Refused."""
    _decide(session, portal, actor, key, KeyAction.ACCEPT)


def refuse(session: Session, portal: Portal, actor: Actor, key: SchoolKey, reason: str) -> None:
    """The centre's word that it is not, and why. Raises Refused."""
    if not trimmed(reason):
        raise Refused("请写明不予核准的理由。")
    _decide(session, portal, actor, key, KeyAction.REFUSE, trimmed(reason))


def _decide(
    session: Session,
    portal: Portal,
    actor: Actor,
    key: SchoolKey,
    action: KeyAction,
    reason: str = "",
) -> None:
    role, now = actor.role or Role.SYSTEM, portal.clock()
    apply(session, KEY_WORKFLOW, key, action, role, actor=actor, at=now, reason=reason)


def one_of(session: Session, school: School, key_id: int) -> SchoolKey:
    """The school's key pair with that id. Raises NotFound."""
    found = session.get(SchoolKey, key_id)
    if found is None or found.school_id != school.id:
        raise NotFound("SchoolKey")
    return found


def of_school(session: Session, school: School) -> list[Listed]:
    """The school's key pairs, the newest first."""
    found = session.scalars(
        sa.select(SchoolKey).where(SchoolKey.school_id == school.id).order_by(SchoolKey.id.desc())
    )
    return [Listed(key, _decision(session, key)) for key in found]


def _decision(session: Session, key: SchoolKey) -> StateChange | None:
    by_the_centre = (KeyAction.ACCEPT, KeyAction.REFUSE)
    return next((one for one in history(session, key.subject) if one.action in by_the_centre), None)
