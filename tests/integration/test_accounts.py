"""Accounts and sign-ins: who gets in, for how long, and what is left of it on the trail."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from sqlalchemy.orm import Session

from school_portal.domain.workflow import Role
from school_portal.models import AuditEvent, SignIn, User
from school_portal.security import audit, passwords
from school_portal.services import accounts, sign_ins
from school_portal.services.access import Actor, Refused
from school_portal.services.lockouts import Attempt
from school_portal.services.portal import Portal
from tests.conftest import NOW, FakeClock
from tests.factories.operation import running

CLERK = Attempt("clerk")
CONSOLE = Actor.operator_at_the_console()
PASSWORD = "correct horse 电池"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def clerk(session: Session) -> User:
    """A person of the centre, whose account is saved."""
    user = accounts.create_user(
        session, CONSOLE, NOW, username="clerk", name="示例", password=PASSWORD, role=Role.CENTRE
    )
    session.commit()
    return user


def signed_in(session: Session, portal: Portal) -> str:
    found = sign_ins.sign_in(session, portal, CLERK, PASSWORD)
    session.commit()
    assert found is not None
    return found[0]


def whose(session: Session, token: str, now: datetime = NOW) -> User | None:
    found = sign_ins.find(session, token, now)
    return found.user if found else None


def trail(session: Session) -> list[tuple[str, str, str]]:
    found = session.execute(
        sa.select(AuditEvent.actor, AuditEvent.action, AuditEvent.subject).order_by(AuditEvent.seq)
    )
    return [(event.actor, event.action, event.subject) for event in found]


def test_the_password_opens_a_sign_in_and_signing_out_ends_it(
    session: Session, clerk: User, portal: Portal
) -> None:
    token = signed_in(session, portal)
    assert whose(session, token) is clerk
    sign_ins.sign_out(session, token, NOW)
    sign_ins.sign_out(session, token, NOW)
    session.commit()
    assert whose(session, token) is None
    who = f"user:{clerk.id}"
    assert trail(session) == [
        ("console", "user.create", who),
        (who, "sign-in", who),
        (who, "sign-out", who),
    ]
    assert list(audit.verify(session)) == []


def test_the_table_holds_neither_token_nor_password(
    session: Session, clerk: User, portal: Portal
) -> None:
    token = signed_in(session, portal)
    kept = session.scalars(sa.select(SignIn)).one()
    assert len(kept.token_hash) == 32
    assert token.encode() not in kept.token_hash
    assert clerk.password_hash.startswith("$argon2id$")
    assert PASSWORD not in clerk.password_hash


@pytest.mark.parametrize(
    ("username", "password", "active"),
    [
        pytest.param("clerk", "wrong password", True, id="wrong password"),
        pytest.param("clerk", "", True, id="no password"),
        pytest.param("Clerk", PASSWORD, True, id="other spelling"),
        pytest.param("310104200001010026", PASSWORD, True, id="unknown name"),
        pytest.param("clerk", PASSWORD, False, id="disabled"),
    ],
)
def test_nobody_else_gets_in(
    session: Session, clerk: User, username: str, password: str, active: bool, portal: Portal
) -> None:
    clerk.active = active
    assert sign_ins.sign_in(session, portal, Attempt(username), password) is None
    session.commit()
    who = f"user:{clerk.id}" if username == "clerk" else "user:unknown"
    assert trail(session)[1:] == [("anonymous", "sign-in.refuse", who)]
    assert session.scalars(sa.select(SignIn)).all() == []


def test_an_unknown_name_costs_a_hash_too(
    session: Session, clerk: User, monkeypatch: pytest.MonkeyPatch, portal: Portal
) -> None:
    """At the present cost, whatever it is: the time tells nobody which names there are."""
    seen: list[str] = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
            seen.append(str(hash).split("$")[3])
            return super().verify(hash, password)

    monkeypatch.setattr(passwords, "hasher", Counting(time_cost=2, memory_cost=16, parallelism=1))
    clerk.password_hash = passwords.hashed(PASSWORD)
    session.add(User(username="invited", name="示例", password_hash="", role=Role.CENTRE))
    for username in ("clerk", "nobody", "invited"):
        assert sign_ins.sign_in(session, portal, Attempt(username), "wrong password") is None
    assert seen == ["m=16,t=2,p=1"] * 3


@pytest.mark.parametrize(
    ("visits", "lasts"),
    [
        pytest.param([29 * MINUTE], True, id="shortly after"),
        pytest.param([30 * MINUTE], False, id="idle too long"),
        pytest.param([20 * MINUTE, 40 * MINUTE, 60 * MINUTE], True, id="at work"),
        pytest.param([20 * MINUTE, 51 * MINUTE], False, id="a break too long"),
        pytest.param([n * 20 * MINUTE for n in range(1, 36)], True, id="a long day"),
        pytest.param([n * 20 * MINUTE for n in range(1, 37)], False, id="too long a day"),
    ],
)
def test_a_sign_in_ends_by_idling_and_by_its_age(
    session: Session, clerk: User, visits: list[timedelta], lasts: bool, portal: Portal
) -> None:
    token = signed_in(session, portal)
    found = None
    for visit in visits:
        found = whose(session, token, NOW + visit)
        session.commit()
    assert (found is clerk) is lasts


def test_disabling_a_person_ends_the_sign_ins_at_once(
    session: Session, clerk: User, portal: Portal
) -> None:
    token = signed_in(session, portal)
    accounts.set_active(session, CONSOLE, "clerk", NOW, active=False)
    session.commit()
    assert whose(session, token) is None
    accounts.set_active(session, CONSOLE, "clerk", NOW, active=True)
    session.commit()
    assert whose(session, token) is None
    assert signed_in(session, portal)


def test_a_disabled_flag_alone_is_enough(session: Session, clerk: User, portal: Portal) -> None:
    token = signed_in(session, portal)
    clerk.active = False
    session.commit()
    assert whose(session, token) is None


def test_a_forged_token_is_nobodys(session: Session, clerk: User, portal: Portal) -> None:
    token = signed_in(session, portal)
    for forged in ("", token[:-1], token + "A", "令牌"):
        assert whose(session, forged) is None


def test_ended_sign_ins_are_swept_at_the_next(
    session: Session, clerk: User, portal: Portal, clock: FakeClock
) -> None:
    signed_in(session, portal)
    clock.now = NOW + HOUR
    signed_in(session, portal)
    assert session.scalars(sa.select(SignIn.created_at)).all() == [NOW + HOUR]


def test_a_hash_of_another_cost_is_renewed(
    session: Session, clerk: User, monkeypatch: pytest.MonkeyPatch, portal: Portal
) -> None:
    dearer = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "hasher", dearer)
    signed_in(session, portal)
    assert "t=2" in clerk.password_hash
    assert signed_in(session, portal)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"username": "clerk"}, "已有人使用"),
        ({"username": "a b"}, "用户名须为"),
        ({"username": "x" * 65}, "用户名须为"),
        ({"password": "short"}, "密码须为 8 至 256 个字"),
        ({"password": "x" * 257}, "密码须为 8 至 256 个字"),
        ({"password": "password1"}, "密码太容易猜到"),
        ({"password": "shili-2026"}, "密码太容易猜到"),
        ({"role": Role.SCHOOL}, "须属于一所学校"),
        ({"school": True}, "须属于一所学校"),
    ],
)
def test_an_account_that_cannot_be(
    session: Session, clerk: User, changes: dict[str, object], text: str
) -> None:
    if "school" in changes:
        changes = {"school": running(session).school}
    wanted = {
        "username": "second",
        "name": "示例",
        "password": PASSWORD,
        "role": Role.CENTRE,
        **changes,
    }
    with pytest.raises(Refused, match=text):
        accounts.create_user(session, CONSOLE, NOW, **wanted)  # type: ignore[arg-type]


def test_an_operator_belongs_to_the_school(session: Session) -> None:
    school = running(session).school
    user = accounts.create_user(
        session,
        CONSOLE,
        NOW,
        username="operator",
        name="示例",
        password=PASSWORD,
        role=Role.SCHOOL,
        school=school,
    )
    session.commit()
    assert user.school is school


def test_nobody_disables_who_is_not_there(session: Session) -> None:
    with pytest.raises(Refused, match="nobody"):
        accounts.set_active(session, CONSOLE, "nobody", NOW, active=False)
