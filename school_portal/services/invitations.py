"""Invitation links: a person sets name and password, and no administrator knows them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.workflow import Role
from school_portal.models import Invitation, School, User
from school_portal.security import audit
from school_portal.services import accounts, operators, sign_ins
from school_portal.services.access import Actor, Refused, hold
from school_portal.services.portal import Portal

LIFETIME = timedelta(days=7)


def invite(
    session: Session,
    portal: Portal,
    actor: Actor,
    *,
    username: str,
    roles: Sequence[Role],
    school: School | None = None,
) -> str:
    """A new person without a password; the link's token. Raises access.Refused."""
    user = accounts.add(
        session, actor, portal.clock(), username=username, name=username, roles=roles, school=school
    )
    return issue(session, portal, actor, user)


def issue(session: Session, portal: Portal, actor: Actor, user: User) -> str:
    """A link's token to set a password, or one forgotten anew, in place of any link before.

    Raises access.Refused for whoever signs in with a CA key.
    """
    accounts.check_admin(actor)
    hold(session, user)
    if operators.has_key_alone(user):
        raise Refused("这个账户用 CA 密钥登录，没有密码。")
    token, now = secrets.token_urlsafe(32), portal.clock()
    session.execute(sa.delete(Invitation).where(Invitation.user_id == user.id))
    session.add(
        Invitation(
            token_hash=_hash(token), user_id=user.id, created_at=now, expires_at=now + LIFETIME
        )
    )
    audit.record(session, actor.label, "user.invite", f"user:{user.id}", at=now)
    return token


def revoke(session: Session, portal: Portal, actor: Actor, user: User) -> None:
    """The person's link leads nowhere any more. Raises access.Refused, also where none is left."""
    accounts.check_admin(actor)
    gone = session.execute(sa.delete(Invitation).where(Invitation.user_id == user.id))
    if gone.rowcount == 0:  # type: ignore[attr-defined]  # used meanwhile, or revoked
        raise Refused("没有可撤销的邀请链接：已经用过或已撤销。已经用过而不应使用的，请停用账户。")
    audit.record(session, actor.label, "user.invite-revoke", f"user:{user.id}", at=portal.clock())


def find(session: Session, token: str, now: datetime) -> Invitation | None:
    """The invitation of that link, while it is good and the account is not disabled."""
    return session.scalar(
        sa.select(Invitation)
        .join(Invitation.user)
        .where(Invitation.token_hash == _hash(token), Invitation.expires_at > now, User.active)
    )


def accept(session: Session, portal: Portal, invitation: Invitation, name: str, new: str) -> User:
    """The person's own name and password; link and sign-ins end. Raises access.Refused."""
    user, token_hash = invitation.user, invitation.token_hash
    user.name = accounts.given_name(name)
    accounts.set_password(user, new)
    used = session.execute(
        sa.delete(Invitation).where(Invitation.token_hash == token_hash),
        execution_options={"synchronize_session": False},
    )
    if used.rowcount != 1:  # type: ignore[attr-defined]  # somebody was quicker
        raise Refused("这个邀请链接已经用过，请直接登录。")
    sign_ins.end_all(session, user)
    audit.record(session, f"user:{user.id}", "user.accept", f"user:{user.id}", at=portal.clock())
    return user


def schools(session: Session) -> Sequence[School]:
    """Every school, by name."""
    return session.scalars(sa.select(School).order_by(School.name, School.id)).all()


def pending(session: Session) -> Mapping[int, Invitation]:
    """The invitations not used yet, expired ones too, by the person's id."""
    return {one.user_id: one for one in session.scalars(sa.select(Invitation))}


def _hash(token: str) -> bytes:
    return sha256(token.encode()).digest()
