"""The second factor: set up, asked for, used once, lost; and the delays after wrong attempts."""

from __future__ import annotations

import re
from datetime import timedelta

import pyotp
import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from school_portal.domain.workflow import Role
from school_portal.models import PolicyChange, RecoveryCode, SignIn, User
from school_portal.services import lockouts, second_factor, sign_ins
from school_portal.services.access import Actor, Refused
from school_portal.services.lockouts import Attempt, Locked
from school_portal.services.portal import Portal
from tests.conftest import NOW, FakeClock
from tests.factories.visitor import PASSWORD, Visitor, user

SECRET = re.compile(r"data-secret>([A-Z2-7 ]+)<")
CODE = re.compile(r'<li class="code">([0-9a-f-]{34})</li>')
STEP = timedelta(seconds=30)


@pytest.fixture
def clerk(session: Session, portal: Portal) -> User:
    return user(session, portal, "clerk", role=Role.CENTRE)


@pytest.fixture
def visitor(app: Flask, clerk: User) -> Visitor:
    made = Visitor(app)
    made.sign_in("clerk")
    return made


def enrolled(visitor: Visitor, clock: FakeClock) -> tuple[pyotp.TOTP, list[str]]:
    """The authenticator and the recovery codes, once set up in the pages."""
    page = visitor.post("/settings/second-factor/start").get_data(as_text=True)
    assert 'src="data:image/svg+xml' in page
    found = SECRET.search(page)
    assert found is not None
    totp = pyotp.TOTP(found[1].replace(" ", ""))
    done = visitor.post("/settings/second-factor/confirm", code=totp.at(clock.now))
    assert done.status_code == 200
    visitor.post("/auth/sign-out")
    return totp, CODE.findall(done.get_data(as_text=True))


def test_the_code_is_asked_for_after_the_password(
    visitor: Visitor, clock: FakeClock, session: Session
) -> None:
    totp, _ = enrolled(visitor, clock)
    asked = visitor.sign_in("clerk").get_data(as_text=True)
    assert "密码正确，请再填写" in asked
    assert visitor.get("/settings/profile", follow=False).status_code == 302  # not in yet
    replayed = visitor.post("/auth/code", code=totp.at(clock.now))
    assert replayed.status_code == 422  # the code that confirmed the set-up
    clock.now += STEP
    answer = visitor.post("/auth/code", follow=False, code=totp.at(clock.now))
    assert answer.location == "/"
    assert visitor.get("/settings/profile").status_code == 200
    assert session.scalars(sa.select(SignIn.proved_at)).all() == [clock.now]
    session.commit()
    other = Visitor(visitor.app)
    other.sign_in("clerk")
    assert other.post("/auth/code", code=totp.at(clock.now)).status_code == 422  # replayed


def test_a_wrong_first_code_puts_nothing_in_force(visitor: Visitor, session: Session) -> None:
    visitor.post("/settings/second-factor/start")
    answer = visitor.post("/settings/second-factor/confirm", code="12345")
    assert answer.status_code == 422
    assert "验证码不对" in answer.get_data(as_text=True)
    assert session.scalars(sa.select(User.totp_step)).all() == [None]
    assert session.scalars(sa.select(RecoveryCode)).all() == []


def test_each_recovery_code_stands_in_once(
    visitor: Visitor, clock: FakeClock, session: Session
) -> None:
    _, codes = enrolled(visitor, clock)
    assert len(set(codes)) == 10
    visitor.sign_in("clerk")
    assert visitor.post("/auth/code", code=codes[0].upper()).status_code == 200
    assert "还有 9 个恢复码" in visitor.text("/settings/second-factor")
    visitor.post("/auth/sign-out")
    visitor.sign_in("clerk")
    assert visitor.post("/auth/code", code=codes[0]).status_code == 422
    kept = session.scalars(sa.select(RecoveryCode.code_hash)).all()
    assert len(kept) == 9
    assert not any(code.encode() in value for code in codes for value in kept)


def test_the_code_is_awaited_for_five_minutes(visitor: Visitor, clock: FakeClock) -> None:
    totp, _ = enrolled(visitor, clock)
    visitor.sign_in("clerk")
    clock.now += timedelta(minutes=5)
    answer = visitor.post("/auth/code", code=totp.at(clock.now))
    assert "登录已超时" in answer.get_data(as_text=True)


def test_a_known_password_does_not_open_endless_guesses(visitor: Visitor, clock: FakeClock) -> None:
    enrolled(visitor, clock)
    statuses = []
    for _ in range(3):
        visitor.sign_in("clerk")
        statuses.append(visitor.post("/auth/code", code="000000").status_code)
    assert statuses[:2] == [422, 422]
    assert visitor.sign_in("clerk").status_code == 429


def test_a_secret_is_sealed_and_removed(
    visitor: Visitor, clock: FakeClock, session: Session
) -> None:
    totp, codes = enrolled(visitor, clock)
    sealed = session.scalars(sa.select(User.totp_sealed)).one()
    assert sealed is not None
    assert totp.secret.encode() not in sealed
    session.commit()
    visitor.sign_in("clerk")
    visitor.post("/auth/code", code=codes[0])
    assert "已停用" in visitor.post("/settings/second-factor/remove").get_data(as_text=True)
    assert session.scalars(sa.select(RecoveryCode)).all() == []


def test_setting_up_and_removing_codes_ends_the_other_sign_ins(
    visitor: Visitor, clock: FakeClock
) -> None:
    there = Visitor(visitor.app)
    there.sign_in("clerk")
    _, codes = enrolled(visitor, clock)
    assert there.get("/settings/profile", follow=False).status_code == 302
    for browser, code in ((there, codes[0]), (visitor, codes[1])):
        browser.sign_in("clerk")
        browser.post("/auth/code", code=code)
    visitor.post("/settings/second-factor/remove")
    assert there.get("/settings/profile", follow=False).status_code == 302
    assert visitor.get("/settings/profile", follow=False).status_code == 200


def test_the_policy_makes_staff_set_it_up_first(
    visitor: Visitor, clock: FakeClock, session: Session
) -> None:
    session.add(
        PolicyChange(name="staff_second_factor", old=False, new=True, at=NOW, reason="试行")
    )
    session.commit()
    for path in ("/", "/settings/profile", "/settings/policies"):
        assert visitor.get(path, follow=False).location == "/settings/second-factor"
    _, codes = enrolled(visitor, clock)
    visitor.sign_in("clerk")
    visitor.post("/auth/code", code=codes[0])
    assert visitor.get("/settings/profile").status_code == 200
    assert visitor.post("/settings/second-factor/remove").status_code == 409


def test_an_administrator_helps_whoever_lost_both(
    visitor: Visitor, clock: FakeClock, session: Session, portal: Portal, clerk: User
) -> None:
    enrolled(visitor, clock)
    user(session, portal, "admin", role=Role.ADMIN)
    other = user(session, portal, "other", role=Role.CENTRE)
    with pytest.raises(Refused, match="系统管理员"):
        second_factor.remove_all(session, portal, Actor.of(other), clerk)
    path = f"/settings/users/{clerk.id}/remove-second-factor"
    session.rollback()
    admin = Visitor(visitor.app)
    admin.sign_in("admin")
    assert "停用全部第二重验证" in admin.post(path).get_data(as_text=True)
    assert visitor.sign_in("clerk").request.path == "/"


def waits(session: Session, portal: Portal, attempt: Attempt) -> timedelta | None:
    """How long the attempt has to wait, having failed unless it has to."""
    try:
        assert sign_ins.sign_in(session, portal, attempt, "wrong password") is None
    except Locked as locked:
        return locked.until - portal.clock()
    finally:
        session.commit()
    return None


@pytest.mark.parametrize("name", ["clerk", "nobody", "310104200001010026"])
def test_the_delay_for_a_name_grows_and_is_the_same_for_names_of_nobody(
    session: Session, portal: Portal, clock: FakeClock, clerk: User, name: str
) -> None:
    found = []
    for _ in range(40):
        wait = waits(session, portal, Attempt(name))
        if wait:
            found.append(int(wait.total_seconds()))
            clock.now += wait
    assert found[:6] == [30, 60, 120, 240, 480, 900]
    assert set(found[6:]) == {900}
    assert 40 - len(found) >= 5


def test_the_right_password_waits_too_and_then_forgets(
    session: Session, portal: Portal, clock: FakeClock, clerk: User
) -> None:
    for _ in range(5):
        assert waits(session, portal, Attempt("clerk")) is None
    with pytest.raises(Locked):
        sign_ins.sign_in(session, portal, Attempt("clerk"), PASSWORD)
    session.rollback()
    clock.now += timedelta(seconds=30)
    assert sign_ins.sign_in(session, portal, Attempt("clerk"), PASSWORD) is not None
    session.commit()
    assert waits(session, portal, Attempt("clerk")) is None


def test_an_address_is_delayed_over_many_names_and_not_by_success(
    session: Session, portal: Portal, clock: FakeClock, clerk: User
) -> None:
    for number in range(lockouts.ADDRESS_FAILURES):
        assert waits(session, portal, Attempt(f"name-{number}", "203.0.113.7")) is None
        if number < 10:
            assert sign_ins.sign_in(session, portal, Attempt("clerk", "203.0.113.7"), PASSWORD)
            session.commit()
    assert waits(session, portal, Attempt("somebody", "203.0.113.7")) == lockouts.FIRST_DELAY
    assert waits(session, portal, Attempt("somebody", "203.0.113.8")) is None


def test_failures_are_forgotten_after_a_day(
    session: Session, portal: Portal, clock: FakeClock, clerk: User
) -> None:
    for _ in range(4):
        waits(session, portal, Attempt("clerk"))
    clock.now += lockouts.FORGOTTEN_AFTER + STEP
    assert [waits(session, portal, Attempt("clerk")) for _ in range(5)] == [None] * 5


@pytest.mark.parametrize(
    ("peer", "forwarded", "locked"),
    [
        pytest.param("203.0.113.7", "", True, id="direct"),
        pytest.param("", "198.51.100.1, 203.0.113.7", True, id="over the proxy's socket"),
        pytest.param("127.0.0.1", "203.0.113.7", False, id="a proxy that may be anybody"),
    ],
)
def test_whose_address_is_counted(
    app: Flask, session: Session, peer: str, forwarded: str, locked: bool
) -> None:
    visitor = Visitor(app)
    visitor.client.environ_base["REMOTE_ADDR"] = peer
    sent = {"csrf_token": visitor.token(), "username": "x", "password": "y"}
    visitor.send("POST", "/auth/sign-in", data=sent, headers={"X-Forwarded-For": forwarded})
    kept = session.scalar(sa.select(sa.func.count()).select_from(lockouts.SignInDelay))
    assert kept == (2 if locked else 1)
