"""Sign-ins: who gets in, for how long, in which role (rulebook 1, 11)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.policy import Policy
from school_portal.domain.workflow import Role
from school_portal.models import School, SignIn, User
from school_portal.security import audit, passwords
from school_portal.services import lockouts, policies
from school_portal.services.access import Actor, NotFound
from school_portal.services.lockouts import Attempt
from school_portal.services.portal import Portal

SEEN_EVERY = timedelta(minutes=1)  # spares a write for every request
CODE_WITHIN = timedelta(minutes=5)  # after the password
PROOF_LASTS = timedelta(minutes=15)  # for decisive acts

Opened = tuple[str, SignIn]


class Duty(StrEnum):
    """What a person does first: no other page opens before."""

    PASSWORD = "password"  # noqa: S105  a duty's name
    SECOND_FACTOR = "second-factor"


def sign_in(session: Session, portal: Portal, attempt: Attempt, password: str) -> Opened | None:
    """A new sign-in with its token, or None; the caller commits either way.

    It awaits a code where the person has a second factor. An unknown name, a wrong password and a
    disabled account take the same time and look the same. Raises lockouts.Locked.
    """
    now = portal.clock()
    lockouts.begin(session, portal, attempt)
    user = session.scalar(sa.select(User).where(User.username == attempt.name))
    fits = passwords.fits(password, user.password_hash if user else None)
    if user is None or not fits or not user.active:
        subject = f"user:{user.id}" if user else "user:unknown"
        audit.record(session, "anonymous", "sign-in.refuse", subject, at=now)
        return None
    if passwords.is_outdated(user.password_hash):
        user.password_hash = passwords.hashed(password)
    lockouts.succeed(session, portal, attempt, wholly=not user.has_second_factor)
    if user.has_second_factor:
        return _open(session, user, now, proved=False)
    return begin(session, user, now)


def begin(session: Session, user: User, now: datetime, *, by_key: bool = False) -> Opened:
    """A new sign-in of someone who has shown who they are, with its token."""
    audit.record(session, f"user:{user.id}", "sign-in", f"user:{user.id}", at=now)
    return _open(session, user, now, proved=True, by_key=by_key)


def _open(
    session: Session, user: User, now: datetime, *, proved: bool, by_key: bool = False
) -> Opened:
    token = secrets.token_urlsafe(32)
    session.execute(
        sa.delete(SignIn).where(~_in_force(policies.current(session), now)),
        execution_options={"synchronize_session": False},
    )
    opened = SignIn(
        token_hash=_token_hash(token),
        user=user,
        role=user.role,
        created_at=now,
        last_seen_at=now,
        proved_at=now if proved else None,
        by_key=by_key,
    )
    session.add(opened)
    return token, opened


def awaiting_code(session: Session, token: str, now: datetime) -> SignIn | None:
    """The sign-in of that token whose password was right and whose code is not given yet."""
    return session.scalar(
        sa.select(SignIn)
        .join(SignIn.user)
        .where(
            SignIn.token_hash == _token_hash(token),
            SignIn.proved_at.is_(None),
            SignIn.created_at > now - CODE_WITHIN,
            User.active,
        )
    )


def find(session: Session, token: str, now: datetime) -> SignIn | None:
    """The sign-in of that token, while it is in force and the account is not disabled.

    Notes that the person was here: the caller commits, after a page that only reads too.
    """
    found = session.scalar(
        sa.select(SignIn)
        .join(SignIn.user)
        .where(
            SignIn.token_hash == _token_hash(token),
            SignIn.proved_at.is_not(None),
            _in_force(policies.current(session), now),
            User.active,
        )
    )
    if found is not None and now - found.last_seen_at >= SEEN_EVERY:
        found.last_seen_at = now
    return found


def duty(session: Session, found: SignIn) -> Duty | None:
    """What the person has to do before anything else."""
    user = found.user
    if user.must_change_password and not found.by_key:
        return Duty.PASSWORD
    if not user.is_staff or user.has_second_factor:
        return None
    return Duty.SECOND_FACTOR if policies.current(session).staff_second_factor else None


def listed(session: Session, actor: Actor, now: datetime) -> Sequence[SignIn]:
    """The actor's own sign-ins in force, the newest first."""
    return session.scalars(
        sa.select(SignIn)
        .where(
            SignIn.user_id == actor.user_id,
            SignIn.proved_at.is_not(None),
            _in_force(policies.current(session), now),
        )
        .order_by(SignIn.created_at.desc(), SignIn.id.desc())
    ).all()


def end(session: Session, actor: Actor, sign_in_id: int, now: datetime) -> None:
    """End one of the actor's own sign-ins. Raises NotFound."""
    own = sa.delete(SignIn).where(SignIn.user_id == actor.user_id, SignIn.id == sign_in_id)
    if not session.execute(own).rowcount:  # type: ignore[attr-defined]
        raise NotFound("SignIn")
    audit.record(session, actor.label, "sign-in.end", actor.label, at=now)


def end_others(session: Session, actor: Actor, keep: int, now: datetime) -> None:
    """End all of the actor's own sign-ins but that one."""
    session.execute(sa.delete(SignIn).where(SignIn.user_id == actor.user_id, SignIn.id != keep))
    audit.record(session, actor.label, "sign-in.end-others", actor.label, at=now)


def end_all(session: Session, user: User, keep: int | None = None) -> None:
    """End the person's sign-ins, but for the one with the id `keep`."""
    session.execute(
        sa.delete(SignIn).where(SignIn.user_id == user.id, SignIn.id.is_distinct_from(keep)),
        execution_options={"synchronize_session": False},
    )


def end_by_key(session: Session, school: School) -> None:
    """End every sign-in that the school's key opened."""
    people = sa.select(User.id).where(User.school_id == school.id)
    session.execute(
        sa.delete(SignIn).where(SignIn.by_key, SignIn.user_id.in_(people)),
        execution_options={"synchronize_session": False},
    )


def act_as(session: Session, actor: Actor, sign_in_id: int, role: Role, now: datetime) -> None:
    """Go on in another of the person's roles. Raises NotFound for one that is not theirs."""
    found = session.get_one(SignIn, sign_in_id)
    if role not in found.user.roles:
        raise NotFound("UserRole")
    found.role = role
    audit.record(session, actor.label, "sign-in.role", actor.label, at=now, role=role.value)


def is_fresh(session: Session, sign_in_id: int, now: datetime) -> bool:
    """Whether the person showed who they are not long ago."""
    proved_at = session.get_one(SignIn, sign_in_id).proved_at
    return proved_at is not None and now - proved_at < PROOF_LASTS


def sign_out(session: Session, token: str, now: datetime) -> None:
    """Ends that sign-in; one that has ended already is no error."""
    ended = session.scalar(
        sa.delete(SignIn)
        .where(SignIn.token_hash == _token_hash(token))
        .returning(SignIn.user_id)
        .execution_options(synchronize_session=False)
    )
    if ended is not None:
        audit.record(session, f"user:{ended}", "sign-out", f"user:{ended}", at=now)


def _in_force(policy: Policy, now: datetime) -> sa.ColumnElement[bool]:
    absolute, idle = timedelta(hours=policy.sign_in_hours), timedelta(minutes=policy.idle_minutes)
    return sa.and_(SignIn.created_at > now - absolute, SignIn.last_seen_at > now - idle)


def _token_hash(token: str) -> bytes:
    return sha256(token.encode()).digest()
