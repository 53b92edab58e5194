"""Signing in with a CA key: challenges, refusals, the session, the account's opening."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from school_portal.config import Settings, read
from school_portal.demo import authority
from school_portal.demo.authority import Issued
from school_portal.domain.account import AccountState
from school_portal.domain.workflow import Role
from school_portal.models import (
    AuditEvent,
    CaSignature,
    Challenge,
    Notice,
    School,
    SchoolAccount,
    User,
)
from school_portal.services.portal import Portal
from tests.conftest import FakeClock
from tests.factories.authority import DAY, KEY_ID, NOW, World, bundle_text, pem
from tests.factories.operation import running
from tests.factories.visitor import Visitor, user

ORIGIN = "http://localhost"


@pytest.fixture
def world() -> World:
    return World("sm2", "rsa")


@pytest.fixture
def crls(tmp_path: Path, world: World) -> Path:
    path = tmp_path / "crls.pem"
    path.write_text("".join(pem("X509 CRL", der) for der in world.crls or ()))
    return path


@pytest.fixture
def settings(environment: dict[str, str], tmp_path: Path, world: World, crls: Path) -> Settings:
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(bundle_text(*world.bundle))
    files = {"SCHOOL_PORTAL_CA_BUNDLE": str(bundle), "SCHOOL_PORTAL_CA_CRLS": str(crls)}
    return read({**environment, **files})


@pytest.fixture
def school(session: Session, portal: Portal) -> School:
    made = running(session).school
    made.key_id_index = portal.vault.index("key-id", KEY_ID)
    session.commit()
    return made


class Holder:
    """Somebody at a browser, with a key."""

    def __init__(self, app: Flask, leaf: Issued) -> None:
        self.visitor, self.leaf = Visitor(app), leaf

    def challenge(self) -> str:
        answer = self.visitor.send("GET", "/auth/ca/challenge")
        assert answer.status_code == 200
        assert answer.json is not None
        assert len(base64.b64decode(answer.json["challenge"])) == 32
        text: str = answer.json["challenge"]
        return text

    def body(
        self, challenge: str, *, purpose: str = "sign-in", origin: str = ORIGIN, **changes: Any
    ) -> dict[str, Any]:
        message = f"school-portal/v1\n{origin}\n{purpose}\n{challenge}"
        signature = base64.b64encode(self.leaf.signer.sign(message.encode())).decode()
        certificate = pem("CERTIFICATE", self.leaf.der)
        made = {"certificate": certificate, "signature": signature, "challenge": challenge}
        return {**made, **changes}

    def post(self, body: object) -> TestResponse:
        return self.visitor.send("POST", "/auth/ca/verify", json=body)

    def sign_in(self, **how: Any) -> TestResponse:
        return self.post(self.body(self.challenge(), **how))


@pytest.fixture
def holder(app: Flask, world: World, school: School) -> Holder:
    return Holder(app, world.leaf())


def code(answer: TestResponse) -> str:
    assert answer.content_type == "application/problem+json"
    assert answer.json is not None
    assert answer.json["status"] == answer.status_code
    found: str = answer.json["code"]
    return found


def test_a_key_holder_works_for_the_school(
    holder: Holder, session: Session, portal: Portal, school: School
) -> None:
    answer = holder.sign_in()
    assert answer.status_code == 200
    assert answer.json == {"user": "平台操作人员", "next": "/"}
    assert school.name in holder.visitor.text("/school/")

    kept = session.scalars(sa.select(CaSignature)).one()
    assert kept.school_id == school.id
    assert kept.key_id_index == school.key_id_index
    assert kept.crl_next_update == NOW + DAY
    sealed = portal.vault.unseal(
        "ca_signatures", "certificate", kept.uid.encode(), kept.certificate_sealed
    )
    assert base64.b64decode(sealed) == holder.leaf.der


def test_refused_keys_are_counted_and_the_library_is_silent(
    holder: Holder, capfd: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert code(holder.sign_in(origin="https://elsewhere")) == "ca.signature"
    assert 'portal_refused_keys_total{code="ca.signature"} 2.0' in holder.visitor.text("/metrics")
    assert "GmSSL" not in capfd.readouterr().err


def test_the_certificate_in_base64_of_its_der(holder: Holder) -> None:
    lines = base64.encodebytes(holder.leaf.der).decode()
    assert holder.sign_in(certificate=lines).status_code == 200


def test_the_second_time_it_is_the_same_person(holder: Holder, session: Session) -> None:
    assert [holder.sign_in().status_code for _ in range(2)] == [200, 200]
    keys = sa.select(sa.func.count()).where(User.username.startswith("key:"))
    assert session.scalar(keys) == 1


def test_a_renewed_certificate_works_and_is_recorded(
    holder: Holder, world: World, session: Session, portal: Portal, school: School
) -> None:
    renewals = sa.select(sa.func.count()).where(AuditEvent.action == "key.renew")
    user(session, portal, "zhang", school=school)
    user(session, portal, "wang", role=Role.CENTRE)
    user(session, portal, "bao", role=Role.BUREAU)
    centre_page = f"/centre/schools/{school.id}"
    session.commit()
    holder.sign_in()
    assert session.scalar(renewals) == 0
    session.commit()
    holder.leaf = world.leaf()
    assert [holder.sign_in().status_code for _ in range(2)] == [200, 200]
    assert session.scalar(renewals) == 1
    told = session.execute(sa.select(User.username, Notice.path).join(Notice)).all()
    assert sorted(map(tuple, told)) == [("wang", centre_page), ("zhang", "/school/account")]


@pytest.mark.parametrize(
    "asked, home",
    [("/school/rosters", "/school/rosters"), ("//other.example/", "/"), ("http://other/", "/")],
)
def test_the_page_that_was_asked_for_comes_next(holder: Holder, asked: str, home: str) -> None:
    assert holder.sign_in(next=asked).json == {"user": "平台操作人员", "next": home}


def test_the_sign_in_page_may_ask_the_agent_and_no_other_page(holder: Holder) -> None:
    page = holder.visitor.get("/auth/sign-in")
    assert "用 CA 密钥登录" in page.get_data(as_text=True)
    allowed = "connect-src 'self' http://127.0.0.1:18765;"
    assert allowed in page.headers["Content-Security-Policy"]
    other = holder.visitor.get("/register")
    assert "connect-src 'self';" in other.headers["Content-Security-Policy"]


def test_a_challenge_is_good_once(holder: Holder) -> None:
    body = holder.body(holder.challenge())
    assert holder.post(body).status_code == 200
    assert code(holder.post(body)) == "ca.challenge"


def test_a_challenge_presented_in_vain_is_used(holder: Holder) -> None:
    challenge = holder.challenge()
    assert code(holder.post(holder.body(challenge, origin="http://other"))) == "ca.signature"
    assert code(holder.post(holder.body(challenge))) == "ca.challenge"


@pytest.mark.parametrize(
    "late, status", [(timedelta(seconds=119), 200), (timedelta(minutes=2), 403)]
)
def test_a_challenge_lasts_two_minutes(
    holder: Holder, clock: FakeClock, late: timedelta, status: int
) -> None:
    body = holder.body(holder.challenge())
    clock.now += late
    assert holder.post(body).status_code == status


def test_two_windows_of_one_browser(holder: Holder) -> None:
    first, second = holder.challenge(), holder.challenge()
    assert holder.post(holder.body(first)).status_code == 200
    assert holder.post(holder.body(second)).status_code == 200


def test_a_challenge_of_another_browser(holder: Holder, app: Flask) -> None:
    other = Holder(app, holder.leaf)
    other.challenge()
    assert code(other.post(other.body(holder.challenge()))) == "ca.challenge"


def test_a_challenge_for_another_origin(holder: Holder) -> None:
    body = holder.body(holder.challenge(), origin="http://other.example")
    answer = holder.visitor.send(
        "POST", "/auth/ca/verify", json=body, base_url="http://other.example"
    )
    assert code(answer) == "ca.challenge"


@pytest.mark.parametrize("purpose", ["submit", "open-account", "sign-in\n", "SIGN-IN", ""])
def test_a_signature_for_another_purpose(holder: Holder, purpose: str) -> None:
    assert code(holder.sign_in(purpose=purpose)) == "ca.signature"


def test_a_challenge_that_nobody_gave(holder: Holder) -> None:
    holder.challenge()
    assert code(holder.post(holder.body(base64.b64encode(bytes(32)).decode()))) == "ca.challenge"


def test_nobody_has_the_key_id(holder: Holder, session: Session, school: School) -> None:
    school.key_id_index = None
    session.commit()
    assert code(holder.sign_in()) == "ca.key-id-unknown"


@pytest.mark.parametrize("opened, stopped", [(None, None), (1, None), (-9, 0)])
def test_the_account_is_not_open(
    holder: Holder, session: Session, school: School, opened: int | None, stopped: int | None
) -> None:
    def day(offset: int | None) -> Any:
        return None if offset is None else NOW.date() + timedelta(days=offset)

    school.opened_on, school.stopped_on = day(opened), day(stopped)
    session.commit()
    assert code(holder.sign_in()) == "ca.account-not-open"
    assert session.scalar(sa.select(sa.func.count()).select_from(CaSignature)) == 0


def test_a_disabled_key_holder(holder: Holder, session: Session) -> None:
    holder.sign_in()
    session.execute(sa.update(User).values(active=False))
    session.commit()
    assert code(holder.sign_in()) == "ca.account-not-open"


def test_what_the_list_holds_now_counts(
    holder: Holder, world: World, crls: Path, session: Session
) -> None:
    assert holder.sign_in().status_code == 200
    crls.write_text(pem("X509 CRL", authority.revoke(world.middle, [holder.leaf], NOW, NOW + DAY)))
    assert code(holder.sign_in()) == "ca.revoked"
    crls.write_text("gone bad")
    assert code(holder.sign_in()) == "ca.crl-stale"
    refused = sa.select(AuditEvent.detail).where(AuditEvent.action == "key-sign-in.refuse")
    told = [detail["code"] for detail in session.scalars(refused.order_by(AuditEvent.seq))]
    assert told == ["ca.revoked", "ca.crl-stale"]


@pytest.mark.parametrize(
    ("file", "expected"), [("bundle.pem", "ca.untrusted"), ("crls.pem", "ca.crl-stale")]
)
def test_a_file_of_ours_that_is_gone_is_not_told_as_the_keys_fault(
    holder: Holder, crls: Path, file: str, expected: str
) -> None:
    (crls.parent / file).unlink()
    answer = holder.sign_in()
    assert code(answer) == expected
    assert answer.json is not None
    assert "不是密钥的问题" in answer.json["detail"]


Spoil = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    "spoiled",
    [
        lambda body: [],
        lambda body: {**body, "challenge": 7},
        lambda body: {**body, "challenge": "A" * 1000},
        lambda body: {**body, "challenge": "\ud800"},
        lambda body: {**body, "signature": "%%%"},
        lambda body: {**body, "signature": "A" * 8192},
        lambda body: {**body, "certificate": "AAAA"},
        lambda body: {**body, "certificate": ""},
        lambda body: {**body, "certificate": body["certificate"] * 2},
        lambda body: {**body, "certificate": body["certificate"][:-30]},
        lambda body: {**body, "certificate": "A" * 70_000},
        lambda body: {**body, "purpose": "submit"},
        lambda body: {key: body[key] for key in ("certificate", "signature")},
        lambda body: {**body, "more": "A" * 100_000},
        lambda body: json.loads("[" * 900 + "]" * 900),
    ],
)
def test_a_malformed_request(holder: Holder, spoiled: Spoil) -> None:
    answer = holder.post(spoiled(holder.body(holder.challenge())))
    assert (answer.status_code, code(answer)) == (400, "request.invalid")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b"null", b"[" * 60_000, b'{"x":' * 12_000]
)
def test_a_body_that_is_no_json(holder: Holder, body: bytes) -> None:
    answer = holder.visitor.send("POST", "/auth/ca/verify", data=body)
    assert (answer.status_code, code(answer)) == (400, "request.invalid")


def approve(session: Session, school: School) -> None:
    school.opened_on = None
    session.add(SchoolAccount(school_id=school.id, state=AccountState.APPROVED, version=0))
    session.commit()


@pytest.mark.parametrize("named", [{}, {"purpose": "open-account"}])
def test_an_approved_account_is_opened_with_the_key(
    holder: Holder, session: Session, school: School, named: dict[str, str]
) -> None:
    approve(session, school)
    told = holder.sign_in()
    assert code(told) == "ca.account-not-open"
    assert told.json is not None
    assert told.json["may_open"] is True
    assert "注册开户" in told.json["detail"]
    body = holder.body(holder.challenge(), purpose="open-account")
    assert holder.post({**body, **named}).status_code == 200
    session.expire_all()
    assert school.opened_on == NOW.date()
    assert session.scalars(sa.select(SchoolAccount.state)).one() is AccountState.OPEN
    name = school.name
    session.commit()
    assert name in holder.visitor.text("/school/")
    assert holder.sign_in().status_code == 200


def test_who_asks_to_sign_in_opens_nothing(
    holder: Holder, session: Session, school: School
) -> None:
    """Though the same key signed, somewhere, that the account be opened."""
    approve(session, school)
    body = holder.body(holder.challenge(), purpose="open-account")
    assert code(holder.post({**body, "purpose": "sign-in"})) == "ca.signature"
    session.expire_all()
    assert school.opened_on is None


def test_an_open_account_is_not_opened_again(holder: Holder) -> None:
    body = holder.body(holder.challenge(), purpose="open-account")
    answer = holder.post({**body, "purpose": "open-account"})
    assert code(answer) == "ca.account-not-open"


def test_the_cookie_is_bound_to_the_host_over_tls(holder: Holder) -> None:
    answer = holder.visitor.send("GET", "/auth/ca/challenge", base_url="https://localhost")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-visit=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Strict"} <= set(cookie.split("; "))


def test_120_calls_a_minute_are_answered(holder: Holder) -> None:
    answers = {holder.sign_in(origin="http://other").status_code for _ in range(120)}
    assert answers == {403}


def test_old_challenges_are_cleared(holder: Holder, clock: FakeClock, session: Session) -> None:
    holder.challenge()
    clock.now += timedelta(minutes=3)
    holder.challenge()
    assert session.scalar(sa.select(sa.func.count()).select_from(Challenge)) == 1


def test_nothing_of_the_key_id_is_in_clear(holder: Holder, session: Session) -> None:
    holder.sign_in()
    for model in (AuditEvent, CaSignature, User):
        for row in session.execute(sa.select(model.__table__)):
            assert KEY_ID.encode() not in repr(row).encode()
            assert all(KEY_ID.encode() not in cell for cell in row if isinstance(cell, bytes))
