"""What holds for every answer and every form, whatever the page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO, RawIOBase
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from school_portal.blueprints.downloads import FILE_POLICY
from school_portal.blueprints.http import origin
from school_portal.blueprints.paper import verification_page
from school_portal.domain.specialty_evaluation import EvaluationState
from school_portal.domain.workflow import Role
from school_portal.extensions.web import csrf
from school_portal.models import SpecialtyEvaluation, User
from school_portal.services.portal import Portal
from tests.factories.evaluations import PDF, Desk
from tests.factories.operation import running
from tests.factories.visitor import HTML, Visitor, user

MIB = 1024 * 1024
SITE = "https://localhost"


@pytest.fixture
def desk(session: Session, portal: Portal, monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = running(session)
    user(session, portal, "zhang", school=made.school)
    user(session, portal, "admin", role=Role.ADMIN)
    desk = Desk.of(session, portal, made.school)
    desk.draft()
    session.commit()
    return desk


@pytest.fixture
def school(app: Flask, desk: Desk) -> Visitor:
    visitor = Visitor(app)
    visitor.sign_in("zhang")
    return visitor


@pytest.fixture
def site(app: Flask, portal: Portal) -> str:
    """The portal as it is installed: behind TLS, under its own name."""
    app.extensions["portal"] = replace(portal, settings=replace(portal.settings, origin=SITE))
    return SITE


def rules(app: Flask, method: str) -> Iterator[Rule]:
    return (one for one in app.url_map.iter_rules() if method in (one.methods or ()))


def built(app: Flask, rule: Rule) -> str:
    values = dict.fromkeys(rule.arguments, 1)
    return app.url_map.bind("localhost").build(rule.endpoint, values)


POLICY = {
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:",
    "connect-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
    "require-trusted-types-for 'script'", "trusted-types default",
}  # fmt: skip
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "Cache-Control": "no-store",
}


def test_headers_of_every_page_error_and_file(app: Flask, site: str, school: Visitor) -> None:
    assert school.send("GET", "/school/", headers=HTML).status_code == 200
    for visitor in (Visitor(app), school):
        for path in {*(built(app, rule) for rule in rules(app, "GET")), "/nowhere"}:
            headers = visitor.send("GET", path, headers=HTML).headers
            given, framed = headers["Content-Security-Policy"], "DENY"
            if headers["Content-Type"] == "application/pdf":  # shown in our pages
                framed = "SAMEORIGIN"
                assert given == FILE_POLICY, path
            else:
                assert set(given.split("; ")) - {"frame-src 'self'"} == POLICY, path
            wanted = HEADERS | {"X-Frame-Options": framed}
            assert {name: headers.get(name) for name in wanted} == wanted, path
            secret = path.startswith("/auth/invitation/")
            assert headers["Referrer-Policy"] == ("no-referrer" if secret else "same-origin"), path
            assert "Access-Control-Allow-Origin" not in headers, path


class Endless(RawIOBase):
    """A body without end, which notes how much of it was taken."""

    taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, target: memoryview) -> int:  # type: ignore[override]
        self.taken += len(target)
        assert self.taken < 100 * MIB, "read on and on"
        return len(target)


@pytest.mark.parametrize("told", [True, False], ids=["told", "in pieces"])
@pytest.mark.parametrize("path", ["/auth/sign-in", "/auth/ca/verify", "/school/rosters/new"])
def test_no_more_is_taken_than_the_largest_file_needs(app: Flask, path: str, told: bool) -> None:
    """As shipped; whether or not the length is told before."""
    body = Endless()
    in_pieces = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    length = {"CONTENT_LENGTH": str(64 * MIB + 1)} if told else in_pieces
    answer = Visitor(app).send(
        "POST",
        path,
        headers=HTML,
        content_type="application/octet-stream",
        environ_overrides={"wsgi.input": body, **length},
    )
    if told:
        assert (answer.status_code, body.taken) == (413, 0)
        assert "文件太大" in answer.get_data(as_text=True)
    else:
        assert answer.status_code >= 400
        assert body.taken <= 65 * MIB


def test_no_form_is_taken_without_its_token(app: Flask, school: Visitor) -> None:
    assert csrf._exempt_views == {
        "school_portal.blueprints.auth.ca.ca_verify",  # no form; a signed, bound challenge
        "school_portal.blueprints.auth.invitation.accept_invitation",  # its form looks itself
    }
    for rule in rules(app, "POST"):
        if rule.endpoint in ("auth.ca_verify", "auth.accept_invitation"):
            continue
        answer = school.send("POST", built(app, rule), headers=HTML)
        assert answer.status_code == 400, rule
        assert "页面已过期" in answer.get_data(as_text=True), rule


def test_other_methods_are_closed(app: Flask, school: Visitor) -> None:
    for method in ("TRACE", "PUT", "PATCH", "DELETE", "CONNECT", "PROPFIND"):
        for rule in rules(app, "GET"):
            assert school.send(method, built(app, rule)).status_code == 405, (method, rule)


def test_cookies_behind_tls_are_bound_to_the_host(app: Flask, site: str) -> None:
    answer = Visitor(app).send("GET", "/auth/sign-in", headers=HTML, base_url=site)
    (cookie,) = answer.headers.getlist("Set-Cookie")
    name, *flags = cookie.split("; ")
    assert name.startswith("__Host-session=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(flags)
    assert not any(flag.startswith("Domain") for flag in flags)


def test_what_a_visitor_says_of_the_host_is_in_no_link(app: Flask, site: str) -> None:
    answer = Visitor(app).send("GET", "/auth/sign-in", headers={**HTML, "Host": "evil.example"})
    assert "evil" not in answer.get_data(as_text=True)
    with app.test_request_context("/", headers={"Host": "evil.example"}):
        assert origin() == site
        assert verification_page("none") == f"{site}/verify/none"


@pytest.mark.parametrize("path", ["/school", "/school//rosters", "/school///rosters/new?next=//x"])
@pytest.mark.parametrize("host", ["evil.example", "evil.example:8443"])
def test_a_redirect_stays_here_whatever_the_host_is_said_to_be(
    app: Flask, path: str, host: str
) -> None:
    """Without ORIGIN too: what a cache or a proxy keeps of it must lead nowhere else."""
    answer = Visitor(app).send("GET", path, headers={**HTML, "Host": host})
    assert answer.status_code == 308
    location = answer.headers["Location"]
    assert location.startswith("/school/") and "evil" not in location


@pytest.mark.parametrize("referrer", ["http://[", "http://localhost//evil.example/", "\\\\evil"])
def test_the_way_back_is_within_the_portal(app: Flask, referrer: str) -> None:
    answer = Visitor(app).send("GET", "/nowhere", headers={**HTML, "Referer": referrer})
    assert answer.status_code == 404
    assert 'href="//' not in answer.get_data(as_text=True)


@pytest.mark.parametrize("header", ["X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded"])
def test_what_a_visitor_says_of_a_proxy_is_not_believed(app: Flask, header: str) -> None:
    said = {"X-Forwarded-Proto": "https"}.get(header, "evil.example")
    answer = Visitor(app).send("GET", "/school/", headers={**HTML, header: said})
    assert answer.location == "/auth/sign-in?next=/school/"
    assert "Strict-Transport-Security" not in answer.headers


def test_fields_that_a_form_has_not_change_nothing(
    school: Visitor, session: Session, desk: Desk
) -> None:
    planted: dict[str, Any] = {
        "role": "admin",
        "school_id": "2",
        "username": "root",
        "password_hash": "x",
        "id": "99",
    }
    assert school.post("/settings/profile", email="a@example.cn", **planted).status_code == 200
    person = session.query(User).filter_by(username="zhang").one()
    assert (person.role, person.school_id) == (Role.SCHOOL, desk.school.id)
    case = session.query(SpecialtyEvaluation).one()
    key, number, version = case.id, case.number, case.version
    session.commit()
    planted = {"state": "sealed", "number": "PG-1", "school_id": "2", "training_level": "higher",
               "arrived_at": "2026-01-01", "unlocked": "{}", "uid": "x"}  # fmt: skip
    page = f"/school/evaluations/{key}/edit"
    assert school.post(page, version=version, leader="乙", **planted).status_code == 200
    session.refresh(case)
    assert case.leader == "乙"
    assert (case.state, case.number, case.school_id) == (
        EvaluationState.DRAFT,
        number,
        desk.school.id,
    )
    assert (case.training_level, case.arrived_at, case.unlocked) == ("secondary", None, None)


@pytest.mark.parametrize(
    ("content", "name", "kept"),
    [
        (PDF, "../../../etc/passwd", "passwd.pdf"),
        (PDF, 'a"\r\nX: y.html', None),
        (b"<html><script>alert(1)</script>", "方案.pdf", None),
        (b"MZ\x90\x00", "方案.docx", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "方案.png", None),
    ],
)
def test_an_upload_is_judged_by_its_content_and_named_by_us(
    school: Visitor, session: Session, desk: Desk, content: bytes, name: str, kept: str | None
) -> None:
    case = session.query(SpecialtyEvaluation).one()
    key, specialty = case.id, desk.school.specialties[0].id
    session.commit()
    school.post(f"/school/evaluations/{key}/programmes", specialty=specialty,
                file=(BytesIO(content), name))  # fmt: skip
    session.refresh(case)
    names = [one.file_name for one in case.programmes]
    if content is not PDF:
        assert names == []
        return
    assert kept is None or names == [kept]
    answer = school.get(f"/school/evaluations/{key}/programmes/{case.programmes[0].id}")
    assert answer.headers["Content-Disposition"].startswith("inline;")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Security-Policy"] == FILE_POLICY
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "X" not in answer.headers
    assert answer.content_type == "application/pdf"


def test_what_no_row_can_have_for_an_id_is_not_found(app: Flask, school: Visitor) -> None:
    """Of addresses; in a query it is refused."""
    numbered = [one for one in rules(app, "GET") if "<int:" in one.rule]
    assert numbered
    for rule in numbered:
        beyond = built(app, rule).replace("/1", f"/{2**63}")
        assert school.send("GET", beyond, headers=HTML).status_code == 404, beyond
    assert school.get(f"/school/applications?body={2**63}").status_code == 400


@pytest.mark.parametrize("word", ["endpoint=x", "_method=POST", "_external=1", "kind=x"])
def test_a_word_of_the_query_stays_in_the_query(app: Flask, desk: Desk, word: str) -> None:
    """The page's links carry it on, and go nowhere else."""
    admin = Visitor(app)
    admin.sign_in("admin")
    page = admin.text(f"/settings/audit?{word}")
    assert f'href="/settings/audit/export.csv?{word}&amp;upto=' in page


class Broken(BytesIO):
    """A body of which the rest never comes: the web server gave its visitor up."""

    def read(self, *_: object) -> bytes:
        raise TimeoutError

    def readinto(self, *_: object) -> int:
        raise TimeoutError


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/auth/sign-in", "multipart/form-data; boundary=x"),
        ("/auth/sign-in", "application/x-www-form-urlencoded"),
        ("/auth/ca/verify", "application/json"),
    ],
)
def test_what_does_not_come_whole_is_told_as_such(app: Flask, path: str, kind: str) -> None:
    sent = {"input_stream": Broken(bytes(1000)), "content_type": kind}
    answer = Visitor(app).send("POST", path, headers=HTML, **sent)
    assert answer.status_code == 408
    assert "没有全部收到" in answer.get_data(as_text=True)
