"""People's accounts (rulebook 1, 11)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, contains_eager, selectinload

from school_portal.domain.texts import tidy_name, trimmed
from school_portal.domain.workflow import Role
from school_portal.models import School, User, UserRole
from school_portal.security import audit, passwords
from school_portal.services import lockouts, sign_ins
from school_portal.services.access import Actor, Refused, hold
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
    name = given_name(name)
    _check_password(password, username, name, school)
    user = add(session, actor, now, username=username, name=name, roles=[role], school=school)
    user.password_hash, user.must_change_password = passwords.hashed(password), initial
    return user


def given_name(typed: str) -> str:
    """A person's name without white space and marks that do not belong to it. Raises Refused."""
    name, _ = tidy_name(typed)
    if not name:
        raise Refused("请填写姓名。")
    return name


def add(
    session: Session,
    actor: Actor,
    now: datetime,
    *,
    username: str,
    name: str,
    roles: Sequence[Role],
    school: School | None = None,
) -> User:
    """A new person without a password. Raises access.Refused."""
    if not _USERNAME.fullmatch(username):
        raise Refused("用户名须为 2 至 64 个字母、数字或 . _ @ -，以字母或数字开头。")
    _check_roles(roles, in_school=school is not None)
    if session.scalar(sa.select(User.id).where(User.username == username)) is not None:
        raise Refused(f"用户名“{username}”已有人使用，请换一个。")
    user = User(
        username=username,
        name=name,
        password_hash=NO_PASSWORD,
        role=roles[0],
        more_roles=[UserRole(role=role) for role in roles[1:]],
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
        role=_told(roles),
        school=user.school_id,
    )
    return user


def count(session: Session, text: str = "", role: Role | None = None) -> int:
    """How many accounts have the text in username, name or school, and that role."""
    found = sa.select(sa.func.count(User.id)).outerjoin(User.school)
    return session.scalar(found.where(*_searched(text, role))) or 0


def page_of(
    session: Session, text: str = "", role: Role | None = None, *, limit: int, offset: int
) -> Sequence[User]:
    """Those accounts by username; schools, roles and passkeys at hand."""
    return session.scalars(
        sa.select(User)
        .outerjoin(User.school)
        .options(
            contains_eager(User.school), selectinload(User.more_roles), selectinload(User.passkeys)
        )
        .where(*_searched(text, role))
        .order_by(User.username)
        .limit(limit)
        .offset(offset)
    ).all()


def _searched(text: str, role: Role | None) -> Iterator[sa.ColumnElement[bool]]:
    if text:
        columns = (User.username, User.name, School.name)
        yield sa.or_(*(column.icontains(text, autoescape=True) for column in columns))
    if role:
        yield sa.or_(User.role == role, User.more_roles.any(UserRole.role == role))


def set_roles(
    session: Session, portal: Portal, actor: Actor, user: User, roles: Sequence[Role]
) -> None:
    """The person's roles from now on; all sign-ins end. Raises access.Refused."""
    check_admin(actor)
    _check_other(actor, user)
    _check_roles(roles, in_school=user.school_id is not None)
    hold(session, user)
    user.role = roles[0]
    user.more_roles = [UserRole(role=role) for role in roles[1:]]
    end_sign_ins(session, portal, actor, user)
    audit.record(
        session, actor.label, "user.roles", f"user:{user.id}", at=portal.clock(), role=_told(roles)
    )


def end_sign_ins(session: Session, portal: Portal, actor: Actor, user: User) -> None:
    """Every sign-in of the person ends at once. Raises access.Refused."""
    check_admin(actor)
    sign_ins.end_all(session, user)
    audit.record(session, actor.label, "user.end-sign-ins", f"user:{user.id}", at=portal.clock())


def check_admin(actor: Actor) -> None:
    """Raises access.Refused for whoever does not run the system."""
    if actor.role not in (Role.ADMIN, None):
        raise Refused("账户由系统管理员管理，请联系管理员办理。")


def _check_other(actor: Actor, user: User) -> None:
    if actor.user_id == user.id:
        raise Refused("不能停用自己的账户或更改自己的角色，请由另一名管理员办理。")


def _check_roles(roles: Sequence[Role], *, in_school: bool) -> None:
    if not roles:
        raise Refused("请至少选择一个角色。")
    if (Role.SCHOOL in roles) != in_school:
        raise Refused("学校操作人员须属于一所学校，其他角色不属于学校。")
    if in_school and len(roles) > 1:
        raise Refused("学校操作人员不能兼任其他角色。")


def _told(roles: Sequence[Role]) -> str:
    return " ".join(role.value for role in roles)


def _check_password(password: str, username: str, name: str, school: School | None) -> None:
    if len(password) not in PASSWORD_LENGTH:
        raise Refused(
            f"密码须为 {PASSWORD_LENGTH.start} 至 {PASSWORD_LENGTH.stop - 1} 个字，请重新设置。"
        )
    if passwords.is_guessable(password, (username, name, *([school.name] if school else []))):
        raise Refused(
            "密码太容易猜到：常用密码、姓名、用户名、学校名称和平台用语，"
            "加上数字或年份也容易猜到。请换成几个不相干的词，或者更长的句子。"
        )


def set_password(user: User, new: str) -> None:
    """A password of the person's own. Raises access.Refused."""
    _check_password(new, user.username, user.name, user.school)
    user.password_hash, user.must_change_password = passwords.hashed(new), False


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
    if new == old:
        raise Refused("新密码不能与原密码相同，请重新设置。")
    set_password(user, new)
    sign_ins.end_all(session, user, keep)
    audit.record(session, f"user:{user.id}", "user.password", f"user:{user.id}", at=portal.clock())


def set_email(session: Session, portal: Portal, actor: Actor, user: User, address: str) -> None:
    """Where the person's notices are mailed; empty for nowhere. Raises access.Refused."""
    address = trimmed(address)
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
    check_admin(actor)
    _check_other(actor, user)
    user.active = active
    sign_ins.end_all(session, user)
    action = "user.enable" if active else "user.disable"
    audit.record(session, actor.label, action, f"user:{user.id}", at=now)
