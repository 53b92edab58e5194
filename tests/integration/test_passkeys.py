"""Passkeys: added, used to sign in, as the second factor and as a proof; refused; removed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pyotp
import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from school_portal.domain.workflow import Role
from school_portal.models import Passkey, PolicyChange, RecoveryCode, SignIn, SignInDelay, User
from school_portal.services import passkeys
from school_portal.services.portal import Portal
from tests.conftest import NOW, FakeClock
from tests.factories.authenticator import PRESENT, VERIFIED, Authenticator, base64
from tests.factories.visitor import Visitor, user

PAGE = "/settings/second-factor"
on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
CODE = re.compile(r'<li class="code">([0-9a-f-]{34})</li>')


class Holder:
    """Somebody at a browser, with an authenticator."""

    def __init__(self, app: Flask, username: str) -> None:
        self.username, self.visitor, self.device = username, Visitor(app), Authenticator()
        self.visitor.sign_in(username)

    def add(self, name: str = "办公室电脑") -> TestResponse:
        options = self.visitor.post(f"{PAGE}/passkeys/options").get_json()
        made = self.device.create(options)
        return self.visitor.post(f"{PAGE}/passkeys", name=name, credential=made)

    def leave(self) -> None:
        self.visitor.post("/auth/sign-out")

    def answer(self, use: str = "passkey-sign-in") -> str:
        options = self.visitor.post("/auth/passkey/options", use=use)
        assert options.status_code == 200, options.get_data(as_text=True)
        return self.device.get(options.get_json())

    def send(self, answer: str, path: str = "/auth/passkey", **more: str) -> TestResponse:
        return self.visitor.post(path, follow=False, passkey=answer, **more)

    def is_in(self) -> bool:
        return self.visitor.get("/settings/profile", follow=False).status_code == 200


@pytest.fixture
def clerk(session: Session, portal: Portal) -> User:
    return user(session, portal, "clerk", role=Role.CENTRE)


@pytest.fixture
def holder(app: Flask, clerk: User) -> Holder:
    made = Holder(app, "clerk")
    assert "恢复码" in made.add().get_data(as_text=True)
    made.leave()
    return made


def test_a_passkey_signs_in_without_a_password(
    holder: Holder, session: Session, clock: FakeClock
) -> None:
    asked = holder.visitor.post("/auth/passkey/options", use="passkey-sign-in").get_json()
    assert (asked["rpId"], asked["userVerification"]) == ("localhost", "required")
    assert asked["allowCredentials"] == []  # it says nothing of who has one
    clock.now += timedelta(minutes=1)
    entered = holder.send(holder.answer(), next="/settings/sign-ins")
    assert entered.location == "/settings/sign-ins"
    assert holder.is_in()
    kept = session.scalars(sa.select(Passkey)).one()
    assert (kept.sign_count, kept.last_used_at) == (1, clock.now)
    assert (kept.name, kept.transports) == ("办公室电脑", "internal")


def test_it_stands_in_for_the_code_after_the_password(holder: Holder) -> None:
    asked = holder.visitor.sign_in("clerk").get_data(as_text=True)
    assert "请再用通行密钥" in asked
    assert not holder.is_in()
    answer = holder.answer("passkey-code")
    assert holder.send(answer, "/auth/code/passkey", next="/settings/sign-ins").location == (
        "/settings/sign-ins"
    )
    assert holder.is_in()


def test_it_proves_again_who_one_is(holder: Holder, clock: FakeClock) -> None:
    holder.send(holder.answer())
    clock.now += timedelta(minutes=15)
    codes = f"{PAGE}/codes"
    asked = holder.visitor.post(codes)
    assert asked.status_code == 403
    assert "用通行密钥确认" in asked.get_data(as_text=True)
    wrong = holder.send(holder.answer("passkey-sign-in"), codes, proof="")  # for something else
    assert wrong.status_code == 422
    assert holder.send("{}", codes, proof="").status_code == 422
    done = holder.send(holder.answer("passkey-proof"), codes, proof="")
    assert CODE.search(done.get_data(as_text=True))


def test_what_was_sent_with_a_proof_is_carried_on_and_the_proof_is_not(
    holder: Holder, clock: FakeClock
) -> None:
    holder.send(holder.answer())
    made = Authenticator().create(holder.visitor.post(f"{PAGE}/passkeys/options").get_json())
    clock.now += timedelta(minutes=15)
    page = holder.visitor.post(f"{PAGE}/passkeys", name="手机", credential=made, passkey="{}")
    text = page.get_data(as_text=True)
    assert 'name="credential" value="{' in text
    assert text.count('name="passkey"') == 1  # the empty one, for the next answer


Spoil = Callable[[Holder], None]


def _device(**changes: Any) -> Spoil:
    def spoil(holder: Holder) -> None:
        for name, value in changes.items():
            setattr(holder.device, name, value)

    return spoil


SPOILED = [
    pytest.param(_device(origin="https://localhost"), id="another origin"),
    pytest.param(_device(rp_id="example.cn"), id="another relying party"),
    pytest.param(_device(flags=PRESENT), id="owner not verified"),
    pytest.param(_device(flags=VERIFIED), id="nobody present"),
    pytest.param(_device(count=-1), id="counter going back"),
    pytest.param(_device(key=Authenticator().key), id="another key"),
    pytest.param(_device(credential_id=b"of nobody"), id="unknown"),
    pytest.param(_device(user_handle=b"user:99"), id="another person's handle"),
]


@on_one_database
@pytest.mark.parametrize("spoil", SPOILED)
def test_an_answer_that_opens_nothing(holder: Holder, session: Session, spoil: Spoil) -> None:
    assert holder.send(holder.answer()).status_code == 302
    holder.leave()
    spoil(holder)
    refused = holder.send(holder.answer())
    assert refused.status_code == 422
    assert "没有通过核对" in refused.get_data(as_text=True)
    assert not holder.is_in()
    assert session.scalars(sa.select(Passkey.sign_count)).all() == [1]


SITE = sha256(b"localhost").digest()
EXTENDED = bytes([PRESENT | VERIFIED | 0x80])  # CBOR follows
GARBAGE = [
    pytest.param({"id": "\ud800", "rawId": "\ud800"}, id="half a character"),
    pytest.param({"response": {"clientDataJSON": base64(b"[" * 9000)}}, id="deep JSON"),
    pytest.param({"response": {"clientDataJSON": base64(b'{"type": NaN')}}, id="half of JSON"),
    pytest.param({"response": {"authenticatorData": base64(b"x")}}, id="short data"),
    *(
        pytest.param(
            {"response": {"authenticatorData": base64(SITE + EXTENDED + bytes(4) + cbor)}}, id=name
        )
        for name, cbor in (
            ("deep CBOR", b"\x81" * 5000),
            ("half of CBOR", b"\xa1"),
            ("huge CBOR", b"\x9b" + b"\xff" * 8),
            ("strange CBOR", b"\xd8\x25\x61x"),
        )
    ),
    pytest.param({"response": {"signature": base64(b"\x30\x80" * 500)}}, id="deep ASN.1"),
    pytest.param({"response": {"userHandle": 7}}, id="a number"),
    pytest.param({"response": None}, id="no response"),
    pytest.param({"clientExtensionResults": "[" * 5000, "type": []}, id="another type"),
]


@on_one_database
@pytest.mark.parametrize("garbage", GARBAGE)
def test_an_answer_that_is_garbage(holder: Holder, garbage: dict[str, Any]) -> None:
    answer: dict[str, Any] = json.loads(holder.answer())
    response = garbage.get("response")
    merged = {**answer["response"], **response} if isinstance(response, dict) else response
    spoiled = {**answer, **garbage, **({"response": merged} if "response" in garbage else {})}
    assert holder.send(json.dumps(spoiled)).status_code == 422
    assert not holder.is_in()


def test_a_disabled_account(holder: Holder, session: Session) -> None:
    session.execute(sa.update(User).values(active=False))
    session.commit()
    assert holder.send(holder.answer()).status_code == 422


def test_a_challenge_is_good_once_and_for_two_minutes(holder: Holder, clock: FakeClock) -> None:
    answer = holder.answer()
    assert holder.send(answer).status_code == 302
    holder.leave()
    holder.device.count = 9
    assert holder.send(answer).status_code == 422
    late = holder.answer()
    clock.now += timedelta(minutes=2)
    assert holder.send(late).status_code == 422
    assert holder.send(holder.answer()).status_code == 302


def test_a_challenge_of_another_browser(holder: Holder, app: Flask) -> None:
    answer = holder.answer()
    assert Visitor(app).post("/auth/passkey", passkey=answer).status_code == 422


def test_anothers_passkey_is_no_second_factor_and_no_proof(
    holder: Holder, app: Flask, session: Session, portal: Portal, clock: FakeClock
) -> None:
    user(session, portal, "wang", role=Role.CENTRE)
    other = Holder(app, "wang")
    other.add()
    other.leave()
    other.visitor.sign_in("wang")
    own, other.device = other.device, holder.device
    answer = other.answer("passkey-code")
    assert other.send(answer, "/auth/code/passkey").status_code == 422
    other.device = own
    assert other.send(other.answer("passkey-code"), "/auth/code/passkey").status_code == 302
    clock.now += timedelta(minutes=15)
    other.device = holder.device
    path = f"{PAGE}/codes"
    assert other.send(other.answer("passkey-proof"), path, proof="").status_code == 422


@on_one_database
@pytest.mark.parametrize(
    "answer", ["", "{}", "[" * 9000, "x" * 20_000, '{"id": 1}', json.dumps({"id": "\ud800"})]
)
def test_what_is_no_answer_is_not_counted(holder: Holder, session: Session, answer: str) -> None:
    assert [holder.send(answer).status_code for _ in range(6)] == [422] * 6
    assert holder.send(holder.answer()).status_code == 302


def test_failures_are_delayed_as_wrong_codes(holder: Holder, clock: FakeClock) -> None:
    holder.device.origin = "https://localhost"
    assert [holder.send(holder.answer()).status_code for _ in range(5)] == [422] * 5
    holder.device.origin = "http://localhost"
    assert holder.send(holder.answer()).status_code == 429
    assert holder.visitor.sign_in("clerk").status_code == 429
    clock.now += timedelta(seconds=30)
    assert holder.send(holder.answer()).status_code == 302


@pytest.mark.parametrize("use", ["sign-in", "code", "proof"])
def test_what_is_wrong_on_our_side_is_no_failure_of_the_persons(
    holder: Holder, app: Flask, portal: Portal, session: Session, clock: FakeClock, use: str
) -> None:
    app.config.update(PROPAGATE_EXCEPTIONS=False)
    path = {"sign-in": "/auth/passkey", "code": "/auth/code/passkey", "proof": f"{PAGE}/codes"}[use]
    if use == "code":
        holder.visitor.sign_in("clerk")
    elif use == "proof":
        holder.send(holder.answer())
        clock.now += timedelta(minutes=15)
    delays = session.scalars(sa.select(SignInDelay.failures)).all()
    session.commit()
    answer = holder.answer(f"passkey-{use}")
    sent = {"proof": ""} if use == "proof" else {}
    settings = replace(portal.settings, origin="http://192.0.2.7:8000")
    app.extensions["portal"] = replace(portal, settings=settings)
    refused = holder.send(answer, path, **sent)
    assert refused.status_code == 409
    assert "请联系平台管理人员" in refused.get_data(as_text=True)
    app.extensions["portal"] = portal
    kept = session.scalars(sa.select(Passkey)).one()
    whole, kept.public_key = kept.public_key, b"x"
    session.commit()
    assert holder.send(holder.answer(f"passkey-{use}"), path, **sent).status_code == 500
    assert session.scalars(sa.select(SignInDelay.failures)).all() == delays
    session.commit()
    kept.public_key = whole
    session.commit()
    assert holder.send(holder.answer(f"passkey-{use}"), path, **sent).status_code in (200, 302)


@on_one_database
@pytest.mark.parametrize("spoil", SPOILED[:4])
def test_a_passkey_that_is_not_added(
    app: Flask, session: Session, clerk: User, spoil: Spoil
) -> None:
    made = Holder(app, "clerk")
    spoil(made)
    refused = made.add()
    assert refused.status_code == 422
    assert "请重新添加" in refused.get_data(as_text=True)
    assert session.scalars(sa.select(Passkey)).all() == []
    assert session.scalars(sa.select(RecoveryCode)).all() == []


def test_it_is_added_once_with_a_name_and_ten_at_most(
    holder: Holder, app: Flask, session: Session
) -> None:
    holder.send(holder.answer())
    twice = holder.add()
    assert "已经添加过" in twice.get_data(as_text=True)
    holder.device = Authenticator()
    assert holder.add(" ").status_code == 422
    for number in range(passkeys.MOST - 1):
        holder.device = Authenticator()
        if number == passkeys.MOST - 2:
            beside = holder.visitor.post(f"{PAGE}/passkeys/options").get_json()
        assert "原来的恢复码仍然有效" in holder.add(f"第 {number} 个").get_data(as_text=True)
    late = holder.visitor.post(
        f"{PAGE}/passkeys", name="手机", credential=Authenticator().create(beside)
    )
    assert late.status_code == 422
    assert f"最多 {passkeys.MOST} 个" in late.get_data(as_text=True)
    refused = holder.visitor.post(f"{PAGE}/passkeys/options")
    assert refused.status_code == 409
    assert session.scalar(sa.select(sa.func.count()).select_from(Passkey)) == passkeys.MOST


def test_a_challenge_to_sign_in_adds_nothing(holder: Holder) -> None:
    holder.send(holder.answer())
    device = Authenticator()
    options = holder.visitor.post("/auth/passkey/options", use="passkey-proof").get_json()
    made = device.create({**options, "user": {"id": ""}})
    answer = holder.visitor.post(f"{PAGE}/passkeys", name="手机", credential=made)
    assert answer.status_code == 422


def test_recovery_codes_stand_in_for_a_passkey(app: Flask, clerk: User) -> None:
    made = Holder(app, "clerk")
    codes = CODE.findall(made.add().get_data(as_text=True))
    made.leave()
    assert "或者填写一个恢复码" in made.visitor.sign_in("clerk").get_data(as_text=True)
    assert made.visitor.post("/auth/code", code=codes[0]).status_code == 200
    assert made.is_in()


def test_a_secret_that_is_not_confirmed_gives_no_codes(
    holder: Holder, session: Session, portal: Portal, clock: FakeClock
) -> None:
    holder.send(holder.answer())
    page = holder.visitor.post(f"{PAGE}/start").get_data(as_text=True)
    found = re.search(r"data-secret>([A-Z2-7 ]+)<", page)
    assert found is not None
    holder.leave()
    holder.visitor.sign_in("clerk")
    code = pyotp.TOTP(found[1].replace(" ", "")).at(clock.now)
    assert holder.visitor.post("/auth/code", code=code).status_code == 422


def test_every_change_of_a_factor_ends_the_other_sign_ins(
    holder: Holder, app: Flask, session: Session
) -> None:
    def elsewhere() -> Holder:
        other = Holder(app, "clerk")
        other.device = holder.device
        other.send(other.answer("passkey-code"), "/auth/code/passkey")
        assert other.is_in()
        return other

    holder.send(holder.answer())
    first, there = holder.device, elsewhere()
    holder.device = Authenticator()
    holder.add("手机")
    assert not there.is_in()
    assert holder.is_in()
    there, keys = elsewhere(), session.scalars(sa.select(Passkey.id).order_by(Passkey.id)).all()
    session.commit()
    holder.visitor.post(f"{PAGE}/passkeys/{keys[0]}/remove")
    assert not there.is_in()
    assert holder.is_in()
    holder.leave()
    holder.device, second = first, holder.device
    assert holder.send(holder.answer()).status_code == 422  # the removed one
    holder.device = second
    assert holder.send(holder.answer()).status_code == 302
    assert session.scalar(sa.select(sa.func.count()).select_from(RecoveryCode)) == 10
    session.commit()
    holder.visitor.post(f"{PAGE}/passkeys/{keys[1]}/remove")
    assert session.scalar(sa.select(sa.func.count()).select_from(RecoveryCode)) == 0


def test_the_policy_is_met_by_a_passkey_and_keeps_the_last(
    app: Flask, clerk: User, session: Session
) -> None:
    session.add(
        PolicyChange(name="staff_second_factor", old=False, new=True, at=NOW, reason="试行")
    )
    session.commit()
    made = Holder(app, "clerk")
    assert made.visitor.get("/settings/profile", follow=False).location == PAGE
    made.add()
    assert made.is_in()
    key = session.scalars(sa.select(Passkey.id)).one()
    session.commit()
    assert made.visitor.post(f"{PAGE}/passkeys/{key}/remove").status_code == 409


def test_an_administrator_removes_every_factor(
    holder: Holder, app: Flask, session: Session, portal: Portal, clerk: User
) -> None:
    user(session, portal, "admin", role=Role.ADMIN)
    path = f"/settings/users/{clerk.id}/remove-second-factor"
    session.rollback()
    holder.send(holder.answer())
    admin = Holder(app, "admin")
    assert "停用全部第二重验证" in admin.visitor.post(path).get_data(as_text=True)
    assert not holder.is_in()
    assert session.scalars(sa.select(Passkey)).all() == []
    assert session.scalars(sa.select(RecoveryCode)).all() == []
    session.commit()
    assert holder.visitor.sign_in("clerk").request.path == "/"


def test_nothing_personal_is_told_to_the_authenticator_but_to_its_owner(
    app: Flask, clerk: User
) -> None:
    made = Holder(app, "clerk")
    options = made.visitor.post(f"{PAGE}/passkeys/options").get_json()
    assert (options["user"]["name"], options["attestation"]) == ("clerk", "none")
    made.device.create(options)
    assert made.device.user_handle == f"user:{clerk.id}".encode()


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://portal.example.cn", "portal.example.cn"),
        ("https://portal.example.cn:8443", "portal.example.cn"),
        ("http://localhost:8000", "localhost"),
        ("http://portal.example.cn", None),
        ("https://192.0.2.7", None),
        ("https://[2001:db8::1]:8443", None),
        ("http://127.0.0.1:8000", None),
    ],
)
def test_which_addresses_have_passkeys(origin: str, host: str | None) -> None:
    assert passkeys.relying_party(origin) == host


def test_an_address_without_passkeys_says_so(
    app: Flask, portal: Portal, session: Session, clerk: User
) -> None:
    made = Holder(app, "clerk")
    settings = replace(portal.settings, origin="http://192.0.2.7:8000")
    app.extensions["portal"] = replace(portal, settings=settings)
    told = made.visitor.text(PAGE)
    assert "现在的网址不能" in told
    assert "passkey.js" not in told
    assert made.visitor.post(f"{PAGE}/passkeys/options").status_code == 409
    made.leave()
    assert "现在的网址不能" in made.visitor.text("/auth/sign-in")
    assert session.scalars(sa.select(SignIn)).all() == []


def test_options_are_for_whoever_may_use_them(app: Flask, clerk: User) -> None:
    visitor = Visitor(app)
    for use, status in [("passkey-code", 409), ("passkey-proof", 409), ("ca-key", 400), ("", 400)]:
        assert visitor.post("/auth/passkey/options", use=use).status_code == status
