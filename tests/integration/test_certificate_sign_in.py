"""What a proxy on the Unix socket says of a visitor: the client certificate, and the address."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from asn1crypto.x509 import Extension, ExtKeyUsageSyntax, KeyUsage
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from school_portal.config import Settings, read
from school_portal.demo.authority import extension, for_a_person
from school_portal.models import AuditEvent, Notice, SignIn, User
from school_portal.services import group_submission
from school_portal.services.portal import Portal
from tests.conftest import FakeClock
from tests.factories.authority import DAY, KEY_ID, OID, World, pem
from tests.factories.signing import Signers, ca_settings, signers
from tests.factories.visitor import HTML, Visitor

TLS = "/auth/ca/tls"


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'portal.db'}"


@pytest.fixture
def world() -> World:
    return World("rsa")


@pytest.fixture
def settings(environment: dict[str, str], tmp_path: Path, world: World) -> Settings:
    return read({**environment, **ca_settings(tmp_path, world)})


@pytest.fixture
def school(session: Session, portal: Portal, world: World) -> Signers:
    return signers(session, portal, world)


def at_the_socket(app: Flask) -> Visitor:
    visitor = Visitor(app)
    visitor.client.environ_base["REMOTE_ADDR"] = ""
    return visitor


def escaped(der: bytes) -> str:
    return quote(pem("CERTIFICATE", der), safe="")


def present(app: Flask, header: str) -> TestResponse:
    visitor = at_the_socket(app)
    sent = {**HTML, "X-SSL-Client-Cert": header}
    data = {"csrf_token": visitor.token()}
    return visitor.send("POST", TLS, data=data, headers=sent)


def refused(session: Session) -> object:
    found = sa.select(AuditEvent.detail).where(AuditEvent.action == "key-sign-in.refuse")
    (detail,) = session.scalars(found)
    return detail["code"]


Spoil = Callable[[str], str]


@pytest.mark.usefixtures("school")
@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: "",
        lambda _: "AAAA",
        lambda _: "%",
        lambda good: good[:-40],
        lambda good: good * 2,
        lambda _: "A" * 100_000,
        lambda _: escaped(bytes(20_000)),
    ],
)
def test_a_header_that_holds_no_certificate(app: Flask, world: World, spoil: Spoil) -> None:
    answer = present(app, spoil(escaped(world.leaf().der)))
    assert (answer.status_code, "没有完好的客户端证书" in answer.text) == (400, True)


def for_others(usage: str, extended: str) -> list[Extension]:
    """A certificate's extensions, with that key usage and extended key usage."""
    *_, key_id = for_a_person(KEY_ID, OID)
    return [
        extension("2.5.29.15", KeyUsage({usage}).dump(), critical=True),
        extension("2.5.29.37", ExtKeyUsageSyntax([extended]).dump()),
        key_id,
    ]


@pytest.mark.usefixtures("school")
@pytest.mark.parametrize(
    "usages", [("key_encipherment", "client_auth"), ("digital_signature", "server_auth")]
)
def test_a_certificate_for_other_uses(
    app: Flask, session: Session, world: World, usages: tuple[str, str]
) -> None:
    leaf = world.leaf(extensions=for_others(*usages))
    assert present(app, escaped(leaf.der)).status_code == 403
    assert refused(session) == "ca.key-usage"


@pytest.mark.usefixtures("school")
def test_a_stale_list_closes(app: Flask, session: Session, world: World, clock: FakeClock) -> None:
    clock.now += 2 * DAY
    leaf = world.leaf(ends=clock.now + DAY)
    assert present(app, escaped(leaf.der)).status_code == 403
    assert refused(session) == "ca.crl-stale"


@pytest.mark.usefixtures("school")
def test_a_disabled_holder(app: Flask, session: Session, world: World) -> None:
    header = escaped(world.leaf().der)
    assert present(app, header).status_code == 302
    session.execute(sa.update(User).values(active=False))
    session.commit()
    assert present(app, header).status_code == 403
    assert refused(session) == "ca.account-not-open"


@pytest.mark.parametrize("days", [(None, None), (1, None), (-9, 0)])
def test_an_account_that_is_not_open(
    app: Flask, session: Session, school: Signers, days: tuple[int | None, int | None]
) -> None:
    """Not opened, opened tomorrow, stopped today."""
    opened, stopped = (
        None if day is None else school.portal.today() + timedelta(days=day) for day in days
    )
    made = school.operation.school
    made.opened_on, made.stopped_on = opened, stopped
    session.commit()
    assert present(app, escaped(school.world.leaf().der)).status_code == 403
    assert refused(session) == "ca.account-not-open"
    assert session.scalar(sa.select(sa.func.count()).select_from(SignIn)) == 0


def test_without_ca_there_is_no_such_way(
    app: Flask, session: Session, portal: Portal, school: Signers
) -> None:
    header = escaped(school.world.leaf().der)
    object.__setattr__(portal, "trust", None)
    page = at_the_socket(app).send(
        "GET", "/auth/sign-in", headers={**HTML, "X-SSL-Client-Cert": header}
    )
    assert TLS not in page.text
    assert present(app, header).status_code == 404
    assert session.scalar(sa.select(sa.func.count()).select_from(SignIn)) == 0


def test_a_renewed_certificate_is_told(app: Flask, session: Session, school: Signers) -> None:
    (draft,) = school.drafts(school.operation.school, 1)
    signed, now = school.signed(school.message(draft)), school.portal.clock()
    group_submission.submit(session, school.portal, school.actor, draft, signed, now)
    session.commit()
    assert present(app, escaped(school.world.leaf().der)).status_code == 302
    assert "更新的证书" in " ".join(session.scalars(sa.select(Notice.title)))


def test_visitors_behind_the_socket_are_counted_apart(app: Flask) -> None:
    visitor = at_the_socket(app)
    token = visitor.token()

    def attempt(number: int, address: str) -> int:
        sent = {"csrf_token": token, "username": f"nobody{number}", "password": ""}
        told = {**HTML, "X-Forwarded-For": f"203.0.113.99, {address}"}
        return visitor.send("POST", "/auth/sign-in", data=sent, headers=told).status_code

    assert {attempt(number, "203.0.113.7") for number in range(60)} == {422}
    assert attempt(60, "203.0.113.7") == 429
    assert attempt(61, "203.0.113.8") == 422
