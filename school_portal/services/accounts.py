"""People's accounts (rulebook 1, 11)."""

from __future__ import annotations

import re
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.workflow import Role
from school_portal.models import School, SignIn, User
from school_portal.security import audit, passwords
from school_portal.services import lockouts
from school_portal.services.access import Actor, Refused
from school_portal.services.lockouts import Attempt
from school_portal.services.portal import Portal

NO_PASSWORD = ""  # no password fits it
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
    initial: bool = False,
) -> User:
    """A new person; an operator belongs to a school, nobody else does. Raises access.Refused.

    An initial password, which somebody else knows, is changed at the first sign-in.
    """
    _check_password(username, password)
    user = _add(session, actor, now, username, name, role, school)
    user.password_hash, user.must_change_password = passwords.hashed(password), initial
    return user


def _add(
    session: Session,
    actor: Actor,
    now: datetime,
    username: str,
    name: str,
    role: Role,
    school: School | None,
) -> User:
    """A new person without a password."""
    if not _USERNAME.fullmatch(username):
        raise Refused("用户名须为 2 至 64 个字母、数字或 . _ @ -，以字母或数字开头。")
    if (role is Role.SCHOOL) != (school is not None):
        raise Refused("学校操作人员须属于一所学校，其他角色不属于学校。")
    if session.scalar(sa.select(User.id).where(User.username == username)) is not None:
        raise Refused(f"用户名“{username}”已有人使用，请换一个。")
    user = User(
        username=username,
        name=name,
        password_hash=NO_PASSWORD,
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


def _check_password(username: str, password: str) -> None:
    if len(password) not in PASSWORD_LENGTH:
        raise Refused(
            f"密码须为 {PASSWORD_LENGTH.start} 至 {PASSWORD_LENGTH.stop - 1} 个字，请重新设置。"
        )
    if password.casefold() == username.casefold():
        raise Refused("密码不能与用户名相同，请重新设置。")


def change_password(
    session: Session, portal: Portal, user: User, old: str, new: str, keep: int | None
) -> None:
    """The person's own new password; all sign-ins but the one with the id `keep` end.

    The caller commits either way. Raises access.Refused, lockouts.Locked.
    """
    attempt = Attempt(user.username)
    lockouts.begin(session, portal, attempt)
    if not passwords.fits(old, user.password_hash):
        raise Refused("原密码不对，请重新填写。")
    lockouts.succeed(session, portal, attempt)
    _check_password(user.username, new)
    if new == old:
        raise Refused("新密码不能与原密码相同，请重新设置。")
    user.password_hash, user.must_change_password = passwords.hashed(new), False
    session.execute(
        sa.delete(SignIn).where(SignIn.user_id == user.id, SignIn.id != keep),
        execution_options={"synchronize_session": False},
    )
    audit.record(session, f"user:{user.id}", "user.password", f"user:{user.id}", at=portal.clock())


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
