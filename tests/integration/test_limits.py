"""Who asks too often is told when to ask again; what was refused is in the log, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from flask import Flask
from limits import parse
from redis import Redis
from sqlalchemy.orm import Session

from school_portal.app import build
from school_portal.blueprints import limits
from school_portal.domain.workflow import Role
from school_portal.embedded_redis import EmbeddedRedis
from school_portal.extensions.web import limiter
from school_portal.models import User
from school_portal.services.portal import Portal
from tests.factories.operation import Operation, running
from tests.factories.visitor import HTML, Visitor, user
from tests.faults.conftest import until

DOC = Path(__file__).parents[2] / "docs" / "security" / "limits.md"


@pytest.fixture
def operation(session: Session, portal: Portal) -> Operation:
    made = running(session)
    user(session, portal, "zhang", school=made.school)
    user(session, portal, "li", school=made.other)
    user(session, portal, "wang", role=Role.CENTRE)
    user(session, portal, "admin", role=Role.ADMIN)
    session.commit()
    return made


def signed_in(app: Flask, username: str) -> Visitor:
    made = Visitor(app)
    made.sign_in(username)
    return made


def all_but_used(limit: limits.Limit, key: str) -> None:
    """As though so many calls had been made but one."""
    item = parse(limit.rate)
    assert limiter.limiter.hit(item, key, limit.name, cost=item.amount - 1)


def test_beyond_the_limit_one_is_told_when_to_come_back(
    app: Flask, session: Session, operation: Operation
) -> None:
    zhang, li = signed_in(app, "zhang"), signed_in(app, "li")
    all_but_used(limits.PAPERS, "user:1")
    assert zhang.get("/school/rosters/template").status_code == 200
    page = zhang.get("/school/rosters/template")
    assert page.status_code == 429
    assert 0 < int(page.headers["Retry-After"]) <= 600
    assert "请在 10 分钟之后再试" in page.get_data(as_text=True)
    told = zhang.send("GET", "/school/rosters/template").json
    assert told is not None and told["code"] == "request.too-often"
    assert zhang.get("/school/").status_code == 200
    assert li.get("/school/rosters/template").status_code == 200


def test_who_is_not_signed_in_is_known_by_the_address(app: Flask, operation: Operation) -> None:
    there = {"REMOTE_ADDR": "192.0.2.1"}
    with app.test_request_context(environ_base=there):
        key = limits.by_address()
    assert "192.0.2.1" not in key
    all_but_used(limits.SEARCHES, key)
    statuses = [
        Visitor(app).send("GET", "/register", headers=HTML, environ_base=there).status_code
        for _ in range(2)
    ]
    assert statuses == [200, 429]
    assert Visitor(app).get("/register").status_code == 200
    assert Visitor(app).send("GET", "/healthz", environ_base=there).status_code == 200


# Which pages count for which limit, by who opens them; nobody: by whoever comes.
NOBODY = ""
PAGES: dict[limits.Limit, dict[str, str]] = {
    limits.SIGN_INS: {NOBODY: "auth.check_sign_in auth.check_code auth.check_passkey "
                              "auth.check_code_passkey"},
    limits.SIGN_INS_OF_A_NAME: {NOBODY: "auth.check_sign_in"},
    limits.INVITATIONS: {NOBODY: "auth.invitation auth.accept_invitation"},
    limits.KEYS: {NOBODY: "auth.ca_challenge auth.ca_verify auth.ca_tls auth.passkey_options"},
    limits.UPLOADS: {"zhang": "school.receive school.attach_programme",
                     "admin": "settings.load_workdays"},
    limits.PAPERS: {"zhang": "school.roster_template school.error_workbook school.opinion_form "
                             "school.export_application school.export_person "
                             "school.evaluation_form school.opening_form "
                             "school.permission_notice",
                    "wang": "centre.opening_form centre.permission_notice office.evaluation_form "
                            "office.opinion_form settings.export_audit"},
    limits.JOBS: {"zhang": "school.choose_sheet school.confirm school.resume school.generate",
                  "wang": "settings.verify_audit"},
    limits.PLANS: {"zhang": "school.plan"},
    limits.SEARCHES: {NOBODY: "register.bodies",
                      "zhang": "school.find_project school.find_students"},
    limits.NUMBERS: {"zhang": "school.reveal_number", "wang": "centre.reveal_number"},
}  # fmt: skip


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # asked nothing
@pytest.mark.parametrize("limit", PAGES, ids=lambda limit: limit.name)
def test_what_costs_much_or_tells_much_has_its_limit(
    app: Flask, session: Session, operation: Operation, limit: limits.Limit
) -> None:
    for username, endpoints in PAGES[limit].items():
        visitor = signed_in(app, username) if username else Visitor(app)
        visitor.get("/auth/sign-in")  # by now it is known that no Redis counts
        with app.test_request_context():
            key = f"user:{people(session)[username]}" if username else limit.by()
        item = parse(limit.rate)
        assert limiter.limiter.hit(item, key, limit.name, cost=item.amount)
        for endpoint in endpoints.split():
            (rule,) = app.url_map.iter_rules(endpoint)
            path = app.url_map.bind("localhost").build(endpoint, dict.fromkeys(rule.arguments, 1))
            posted = "POST" in (rule.methods or ())
            answer = visitor.post(path) if posted else visitor.get(path)
            assert answer.status_code == 429, endpoint


def people(session: Session) -> dict[str, int]:
    found = {one.username: one.id for one in session.query(User)}
    session.commit()
    return found


@pytest.fixture
def counting(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedRedis]:
    """A Redis, and a limiter that does not know yet whether there is one."""
    server = EmbeddedRedis(portal.settings.home)
    server.start()
    monkeypatch.setattr(limiter, "_storage_dead", False)
    monkeypatch.setattr("flask_limiter._extension.MAX_BACKEND_CHECKS", 0)  # asks every second
    yield server
    server.stop()


def test_redis_counts_for_all_web_processes(
    app: Flask, portal: Portal, operation: Operation, counting: EmbeddedRedis
) -> None:
    all_but_used(limits.PAPERS, "user:1")
    another_process = build(portal.settings, portal.clock)  # which has counted nothing yet
    statuses = []
    for process in (app, another_process):
        zhang = signed_in(process, "zhang")
        statuses.append(zhang.get("/school/rosters/template").status_code)
    assert statuses == [200, 429]


def test_what_redis_keeps_for_it_names_nobody_and_is_forgotten(
    app: Flask, operation: Operation, counting: EmbeddedRedis
) -> None:
    there = {"REMOTE_ADDR": "192.0.2.1"}
    Visitor(app).send("GET", "/register", headers=HTML, environ_base=there)
    Visitor(app).sign_in("zhang", "wrong")
    redis: Redis = app.extensions["bell"]
    kept = [key for key in redis.scan_iter() if key.startswith(b"LIMITS")]
    assert len(kept) == 3
    assert not [key for key in kept if b"192.0.2.1" in key or b"zhang" in key]
    assert all(0 < redis.ttl(key) <= 3600 for key in kept)


@pytest.mark.parametrize("fault", ["away", "refusing"])
def test_without_redis_each_process_counts_for_itself_and_later_for_all_again(
    app: Flask, operation: Operation, counting: EmbeddedRedis, fault: str
) -> None:
    zhang, redis = signed_in(app, "zhang"), app.extensions["bell"]
    if fault == "away":
        counting.stop()
    else:
        redis.config_set("maxmemory", 1)
    assert zhang.get("/school/rosters/template").status_code == 200
    all_but_used(limits.PAPERS, "user:1")
    assert zhang.get("/school/rosters/template").status_code == 429
    if fault == "away":
        counting.start()
    else:
        redis.config_set("maxmemory", 0)
    until(lambda: zhang.get("/school/rosters/template").status_code == 200, "Redis again")


def test_the_document_has_every_limit() -> None:
    text = DOC.read_text(encoding="utf-8")
    assert set(limits.LIMITS) == set(PAGES)
    for one in limits.LIMITS:
        assert f"| `{one.name}` | {one.rate} |" in text


def test_a_refused_request_is_one_line_of_the_log_without_what_was_asked(
    app: Flask, session: Session, operation: Operation
) -> None:
    wang = signed_in(app, "wang")
    zhang = signed_in(app, "zhang")
    with structlog.testing.capture_logs() as lines:
        wang.send("GET", "/school/students/4711?q=secret", headers=HTML)
        zhang.send("GET", "/school/students/4711?q=secret", headers=HTML)
        zhang.send("GET", "/school/students/4711")
        zhang.send("POST", "/school/students", data={"number": "secret"}, headers=HTML)
        zhang.send("PUT", "/school/students/4711", headers=HTML)
        Visitor(app).send("GET", "/school/students/4711", headers=HTML)
        zhang.send("GET", "/secret/4711", headers=HTML)
        assert zhang.get("/school/").status_code == 200
    found = [
        tuple(line[name] for name in ("status", "code", "route", "user", "role")) for line in lines
    ]
    person = "/school/students/<int:student_id>"
    assert found == [
        (403, None, person, 3, "centre"),
        (404, "request.not-found", person, 1, "school"),
        (404, "request.not-found", person, 1, "school"),
        (400, "request.csrf", "/school/students", 1, "school"),
        (405, None, None, 1, "school"),
        (302, "request.sign-in", person, None, None),
        (404, None, None, 1, "school"),
    ]
    assert not any("secret" in str(line) or "4711" in str(line) for line in lines)
    assert all(line["event"] == "request.refused" and line["request"] for line in lines)
