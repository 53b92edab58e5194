"""Who changes or loses what they sign in with, or what they may, is out wherever they were in."""

from __future__ import annotations

from collections.abc import Callable

import pyotp
import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from school_portal.domain.workflow import Role
from school_portal.extensions import db
from school_portal.models import PolicyChange, SignIn, User
from school_portal.services import (
    accounts,
    invitations,
    lockouts,
    passkeys,
    school_accounts,
    second_factor,
    sign_ins,
)
from school_portal.services.access import Actor, NotFound, Refused
from school_portal.services.challenges import Visit
from school_portal.services.lockouts import Attempt, Locked
from school_portal.services.portal import Portal
from tests.conftest import NOW
from tests.factories.operation import running
from tests.factories.visitor import PASSWORD, user
from tests.integration.test_passkeys import Holder

ADMIN = Actor(None, Role.ADMIN, None, "user:admin")
NEW = "窗前有一只小白鹭"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
Act = Callable[[Session, Portal, User, int], object]
Show = Callable[[Session, Portal, User, Holder], None]


@pytest.fixture
def clerk(session: Session, portal: Portal) -> User:
    return user(session, portal, "clerk", role=Role.CENTRE)


def came_in(session: Session, portal: Portal) -> tuple[str, int]:
    opened = sign_ins.sign_in(session, portal, Attempt("clerk"), PASSWORD)
    session.commit()
    assert opened is not None
    return opened[0], opened[1].id


def disable(session: Session, portal: Portal, clerk: User, here: int) -> None:
    accounts.set_active(session, ADMIN, "clerk", NOW, active=False)
    assert session.scalars(sa.select(SignIn)).all() == []  # also if somebody enables it by hand


def take_a_link(session: Session, portal: Portal, clerk: User, here: int) -> None:
    found = invitations.find(session, invitations.issue(session, portal, ADMIN, clerk), NOW)
    assert found is not None
    invitations.accept(session, portal, found, "李老师", NEW)


def set_up_codes(session: Session, portal: Portal, clerk: User, here: int) -> None:
    second_factor.start(session, portal, clerk)
    secret, _ = second_factor.address(portal, clerk, "portal") or ("", "")
    code = pyotp.TOTP(secret).at(portal.clock())
    second_factor.confirm(session, portal, clerk, code, here)


def remove_codes(session: Session, portal: Portal, clerk: User, here: int) -> None:
    clerk.totp_sealed, clerk.totp_step = b"x", 1
    second_factor.remove_totp(session, portal, clerk, here)


def change_password(session: Session, portal: Portal, clerk: User, here: int) -> None:
    accounts.change_password(session, portal, clerk, PASSWORD, NEW, here)


def change_roles(session: Session, portal: Portal, clerk: User, here: int) -> None:
    accounts.set_roles(session, portal, ADMIN, clerk, [Role.BUREAU])


def end_sign_ins(session: Session, portal: Portal, clerk: User, here: int) -> None:
    accounts.end_sign_ins(session, portal, ADMIN, clerk)


def remove_factors(session: Session, portal: Portal, clerk: User, here: int) -> None:
    second_factor.remove_all(session, portal, ADMIN, clerk)


@pytest.mark.parametrize(
    ("act", "stays"),
    [
        (change_password, True),
        (set_up_codes, True),
        (remove_codes, True),
        (take_a_link, False),
        (disable, False),
        (change_roles, False),
        (end_sign_ins, False),
        (remove_factors, False),
    ],
)
def test_whoever_is_in_by_what_was_is_out(
    session: Session, portal: Portal, clerk: User, act: Act, stays: bool
) -> None:
    """But for the very browser in which people change it themselves."""
    here, elsewhere = came_in(session, portal), came_in(session, portal)
    act(session, portal, clerk, here[1])
    session.commit()
    assert sign_ins.find(session, elsewhere[0], NOW) is None
    assert (sign_ins.find(session, here[0], NOW) is not None) == stays


@pytest.mark.parametrize("act", [school_accounts.suspend, school_accounts.close])
def test_a_key_opens_nothing_while_the_account_is_stopped(
    session: Session, portal: Portal, act: Callable[..., None]
) -> None:
    """Nor does it keep open what it opened before; who signs in with a password reads why."""
    school = running(session).school
    person = user(session, portal, "zhang", school=school)
    by_key, by_password = (
        sign_ins.begin(session, person, NOW, by_key=by_key)[0] for by_key in (True, False)
    )
    act(session, portal, Actor(None, Role.CENTRE, None, "user:centre"), school, "核查")
    session.commit()
    assert sign_ins.find(session, by_key, NOW) is None
    assert sign_ins.find(session, by_password, NOW) is not None


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_nobody_but_an_administrator_ends_or_gives_rights(
    session: Session, portal: Portal, clerk: User, role: Role
) -> None:
    """Whatever page or command asks for it."""
    acting = Actor(None, role, None, "user:other")
    token, _ = came_in(session, portal)
    for act in (
        lambda: accounts.set_roles(session, portal, acting, clerk, [Role.BUREAU]),
        lambda: accounts.end_sign_ins(session, portal, acting, clerk),
        lambda: accounts.set_active(session, acting, "clerk", NOW, active=False),
        lambda: invitations.issue(session, portal, acting, clerk),
        lambda: invitations.revoke(session, portal, acting, clerk),
        lambda: second_factor.remove_all(session, portal, acting, clerk),
    ):
        with pytest.raises(Refused, match="系统管理员"):
            act()
    assert sign_ins.find(session, token, NOW) is not None


def test_a_disabled_person_is_asked_for_no_code(
    session: Session, portal: Portal, clerk: User
) -> None:
    clerk.totp_sealed, clerk.totp_step = b"x", 1
    token, _ = came_in(session, portal)
    assert sign_ins.awaiting_code(session, token, NOW) is not None
    clerk.active = False
    session.flush()
    assert sign_ins.awaiting_code(session, token, NOW) is None


def test_a_link_that_two_follow_at_once_serves_one(
    session: Session, portal: Portal, clerk: User
) -> None:
    token = invitations.issue(session, portal, ADMIN, clerk)
    session.commit()
    with Session(db.engine, expire_on_commit=False) as other:
        read_before = invitations.find(other, token, NOW)
        assert read_before is not None and read_before.user is not None
        other.commit()
        found = invitations.find(session, token, NOW)
        assert found is not None
        invitations.accept(session, portal, found, "李老师", NEW)
        session.commit()
        with pytest.raises(Refused, match="已经用过"):
            invitations.accept(other, portal, read_before, "别人", PASSWORD)
        other.rollback()
    session.refresh(clerk)
    assert clerk.name == "李老师"


def test_who_holds_a_key_has_neither_password_nor_passkey(session: Session, portal: Portal) -> None:
    holder = User(username="key:X", name="平台操作人员", password_hash="", role=Role.CENTRE)
    session.add(holder)
    session.flush()
    with pytest.raises(Refused, match="没有密码"):
        invitations.issue(session, portal, ADMIN, holder)
    with pytest.raises(Refused, match="不使用通行密钥"):
        passkeys.to_add(session, portal, holder, Visit("browser", "https://localhost"), "portal")


def test_a_second_factor_is_set_up_step_by_step(
    session: Session, portal: Portal, clerk: User
) -> None:
    with pytest.raises(Refused, match="没有等待确认的设置"):
        second_factor.confirm(session, portal, clerk, "000000", 0)
    with pytest.raises(Refused, match="还没有启用"):
        second_factor.renew_codes(session, portal, clerk)
    set_up_codes(session, portal, clerk, came_in(session, portal)[1])
    sealed = clerk.totp_sealed
    with pytest.raises(Refused, match="已经启用"):
        second_factor.start(session, portal, clerk)
    with pytest.raises(Refused, match="没有等待确认的设置"):
        second_factor.confirm(session, portal, clerk, "000000", 0)
    assert clerk.totp_sealed == sealed


def test_nobody_removes_anothers_passkey(
    app: Flask, session: Session, portal: Portal, clerk: User
) -> None:
    Holder(app, "clerk").add()
    other = user(session, portal, "other", role=Role.CENTRE)
    (passkey,) = session.get_one(User, clerk.id).passkeys
    for key in (passkey.id, passkey.id + 1):
        with pytest.raises(NotFound):
            second_factor.remove_passkey(session, portal, other, key, 0)


@pytest.mark.parametrize("roles", [[], [Role.SCHOOL], [Role.CENTRE, Role.SCHOOL]])
def test_roles_that_nobody_is_given(
    session: Session, portal: Portal, clerk: User, roles: list[Role]
) -> None:
    with pytest.raises(Refused):
        accounts.set_roles(session, portal, ADMIN, clerk, roles)
    operator = user(session, portal, "zhang", school=running(session).school)
    for given in ([], [Role.CENTRE], [Role.SCHOOL, Role.CENTRE]):
        with pytest.raises(Refused):
            accounts.set_roles(session, portal, ADMIN, operator, given)


def by_password(session: Session, portal: Portal, clerk: User, holder: Holder) -> None:
    assert sign_ins.sign_in(session, portal, Attempt("clerk"), PASSWORD) is not None


def by_code(session: Session, portal: Portal, clerk: User, holder: Holder) -> None:
    clerk.totp_sealed = portal.vault.seal("users", "totp", b"clerk", SECRET)
    clerk.totp_step = 0
    awaited = sign_ins.sign_in(session, portal, Attempt("clerk"), PASSWORD)
    assert awaited is not None
    code = pyotp.TOTP(SECRET).at(portal.clock())
    assert second_factor.complete(session, portal, awaited[1], code, None) is not None


def by_passkey(session: Session, portal: Portal, clerk: User, holder: Holder) -> None:
    holder.add()
    holder.leave()
    holder.send(holder.answer())
    assert holder.is_in()


def by_proof(session: Session, portal: Portal, clerk: User, holder: Holder) -> None:
    here = session.scalars(sa.select(SignIn.id)).one()
    assert second_factor.prove(session, portal, here, PASSWORD, None)


def by_a_new_password(session: Session, portal: Portal, clerk: User, holder: Holder) -> None:
    accounts.change_password(session, portal, clerk, PASSWORD, NEW, None)


@pytest.mark.parametrize("show", [by_password, by_code, by_passkey, by_proof, by_a_new_password])
def test_who_showed_after_all_who_they_are_starts_anew(
    app: Flask, session: Session, portal: Portal, clerk: User, show: Show
) -> None:
    """Wrong attempts before are forgotten, by whatever way the person came in at last."""
    holder = Holder(app, "clerk")

    def fail(times: int) -> None:
        for _ in range(times):
            assert sign_ins.sign_in(session, portal, Attempt("clerk"), "wrong") is None
        session.commit()

    fail(lockouts.NAME_FAILURES - 2)  # a right password counts until its code was given
    show(session, portal, clerk, holder)
    session.commit()
    fail(lockouts.NAME_FAILURES)
    with pytest.raises(Locked):
        fail(1)


def test_an_administrator_keeps_the_factor_that_the_policy_asks_for(
    session: Session, portal: Portal
) -> None:
    admin = user(session, portal, "admin", role=Role.ADMIN)
    session.add(
        PolicyChange(name="staff_second_factor", old=False, new=True, at=NOW, reason="试行")
    )
    with pytest.raises(Refused, match="规则设置要求"):
        second_factor.remove_all(session, portal, Actor.of(admin), admin)
