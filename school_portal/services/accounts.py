"""People's accounts and their sign-ins (rulebook 1, 11)."""

from __future__ import annotations

import re
import secrets
from datetime import datetime, timedelta
from hashlib import sha256

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.workflow import Role
from school_portal.models import School, SignIn, User
from school_portal.security import audit, passwords
from school_portal.services.access import Actor, Refused
from school_portal.services.portal import Portal

IDLE_LIMIT = timedelta(minutes=30)
ABSOLUTE_LIMIT = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=1)  # spares a write for every request
PASSWORD_LENGTH = range(8, 257)  # characters
_EMAIL = re.compile(
    r"(?=.{3,254}$)[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"
)
_USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{1,63}")


def create_user(
    session: Session,
    actor: Actor,
    now: datetime,
    *,
    username: str,
    name: str,
    password: str,
    role: Role,
    school: School | None = None,
) -> User:
    """A new person; an operator belongs to a school, nobody else does. Raises access.Refused."""
    if not _USERNAME.fullmatch(username):
        raise Refused("用户名须为 2 至 64 个字母、数字或 . _ @ -，以字母或数字开头。")
    if len(password) not in PASSWORD_LENGTH:
        raise Refused(
            f"密码须为 {PASSWORD_LENGTH.start} 至 {PASSWORD_LENGTH.stop - 1} 个字，请重新设置。"
        )
    if (role is Role.SCHOOL) != (school is not None):
        raise Refused("学校操作人员须属于一所学校，其他角色不属于学校。")
    if session.scalar(sa.select(User.id).where(User.username == username)) is not None:
        raise Refused(f"用户名“{username}”已有人使用，请换一个。")
    user = User(
        username=username,
        name=name,
        password_hash=passwords.hashed(password),
        role=role,
        school_id=school.id if school else None,
    )
    session.add(user)
    session.flush()
    audit.record(
        session,
        actor.label,
        "user.create",
        f"user:{user.id}",
        at=now,
        role=role.value,
        school=user.school_id,
    )
    return user


def set_email(session: Session, portal: Portal, actor: Actor, user: User, address: str) -> None:
    """Where the person's notices are mailed; empty for nowhere. Raises access.Refused."""
    address = address.strip()
    if address and not _EMAIL.fullmatch(address):
        raise Refused("邮箱地址的格式不对，请按 name@example.cn 的样式填写，或留空。")
    key = user.username.encode()
    user.email_sealed = portal.vault.seal("users", "email", key, address) if address else None
    audit.record(
        session,
        actor.label,
        "user.email" if address else "user.email-remove",
        f"user:{user.id}",
        at=portal.clock(),
    )


def email_of(portal: Portal, user: User) -> str:
    """The person's address, empty where there is none."""
    if user.email_sealed is None:
        return ""
    return portal.vault.unseal("users", "email", user.username.encode(), user.email_sealed)


def sign_in(
    session: Session, username: str, password: str, now: datetime
) -> tuple[str, User] | None:
    """A new sign-in's token and whose it is, or None; the caller commits either way.

    An unknown name, a wrong password and a disabled account take the same time and look the same.
    """
    user = session.scalar(sa.select(User).where(User.username == username))
    fits = passwords.fits(password, user.password_hash if user else None)
    if user is None or not fits or not user.active:
        subject = f"user:{user.id}" if user else "user:unknown"
        audit.record(session, "anonymous", "sign-in.refuse", subject, at=now)
        return None
    if passwords.is_outdated(user.password_hash):
        user.password_hash = passwords.hashed(password)
    return begin(session, user, now), user


def begin(session: Session, user: User, now: datetime) -> str:
    """A new sign-in of someone who has shown who they are; its token."""
    token = secrets.token_urlsafe(32)
    session.execute(sa.delete(SignIn).where(~_in_force(now)))
    session.add(SignIn(token_hash=_token_hash(token), user=user, created_at=now, last_seen_at=now))
    audit.record(session, f"user:{user.id}", "sign-in", f"user:{user.id}", at=now)
    return token


def user_of(session: Session, token: str, now: datetime) -> User | None:
    """Whose sign-in that is, while it is in force and the account is not disabled.

    Notes that the person was here: the caller commits, after a page that only reads too.
    """
    found = session.scalar(
        sa.select(SignIn)
        .join(SignIn.user)
        .where(SignIn.token_hash == _token_hash(token), _in_force(now), User.active)
    )
    if found is None:
        return None
    if now - found.last_seen_at >= SEEN_EVERY:
        found.last_seen_at = now
    return found.user


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


def set_active(
    session: Session, actor: Actor, username: str, now: datetime, *, active: bool
) -> None:
    """Disables an account, its sign-ins ending at once, or enables it. Raises access.Refused."""
    user = session.scalar(sa.select(User).where(User.username == username))
    if user is None:
        raise Refused(f"没有用户名为“{username}”的账户，请核对用户名。")
    user.active = active
    session.execute(sa.delete(SignIn).where(SignIn.user_id == user.id))
    action = "user.enable" if active else "user.disable"
    audit.record(session, actor.label, action, f"user:{user.id}", at=now)


def _in_force(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(SignIn.created_at > now - ABSOLUTE_LIMIT, SignIn.last_seen_at > now - IDLE_LIMIT)


def _token_hash(token: str) -> bytes:
    return sha256(token.encode()).digest()
