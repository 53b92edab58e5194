"""The database away, or lost in the middle: everybody is told so, in Chinese, with a number."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from itertools import count

import psycopg
import pytest
import sqlalchemy as sa
import structlog
from flask import Flask
from sqlalchemy import event, exc
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from school_portal.core import CONNECT_SECONDS
from school_portal.extensions import db
from school_portal.models.dialect import is_away
from school_portal.services import doctor
from school_portal.services.portal import Portal
from tests.conftest import FakeClock
from tests.factories.operation import running
from tests.factories.outage import away, lost_after
from tests.factories.visitor import HTML, Visitor, user

JSON = {"Accept": "application/json"}
WORDS = "系统暂时无法使用"


@pytest.fixture
def visitor(app: Flask, session: Session, portal: Portal) -> Visitor:
    """Somebody who is signed in."""
    app.config.update(PROPAGATE_EXCEPTIONS=False)
    made = running(session)
    user(session, portal, "zhang", school=made.school)
    visitor = Visitor(app)
    assert visitor.sign_in("zhang").status_code == 200
    db.session.remove()
    return visitor


def check_headers(answer: TestResponse) -> None:
    assert len(answer.headers["X-Request-Id"]) == 32
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def check_told(answer: TestResponse, *, page: bool) -> None:
    """That the database is away, as whoever asked can read it."""
    check_headers(answer)
    text = answer.get_data(as_text=True)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60"), text
    assert answer.headers["X-Request-Id"] in text
    if page:
        assert WORDS in text and "回到首页" in text and 'lang="zh-CN"' in text
    else:
        assert answer.content_type == "application/problem+json"
        assert answer.json is not None
        assert (answer.json["title"], answer.json["code"]) == (WORDS, "database.away")


@pytest.mark.parametrize("headers", [HTML, JSON], ids=["page", "problem"])
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/school/"), ("GET", "/"), ("POST", "/school/rosters/new"), ("GET", "/register")],
)
def test_it_is_told_with_a_number_and_in_one_line_of_the_log(
    app: Flask, visitor: Visitor, caplog: pytest.LogCaptureFixture,
    method: str, path: str, headers: dict[str, str],
) -> None:  # fmt: skip
    token = visitor.token()
    with away(app), structlog.testing.capture_logs() as lines:
        form = {"csrf_token": token} if method == "POST" else None
        answer = visitor.send(method, path, headers=headers, data=form)
    check_told(answer, page=headers is HTML)
    (line,) = lines
    assert (line["event"], line["error"]) == ("request.failed", "OperationalError")
    assert line["request"] == answer.headers["X-Request-Id"]
    assert "Traceback" not in f"{line}" and not caplog.records


@pytest.mark.parametrize("headers", [HTML, JSON], ids=["page", "problem"])
def test_what_is_refused_needs_no_database_to_say_so(
    app: Flask, visitor: Visitor, headers: dict[str, str]
) -> None:
    with away(app):
        unknown = visitor.send("GET", "/nowhere", headers=headers)
        forged = visitor.send("POST", "/school/rosters/new", headers=headers)
    for answer, status, words in ((unknown, 404, "没有找到"), (forged, 400, "页面已过期")):
        check_headers(answer)
        text = answer.get_data(as_text=True) if headers is HTML else str(answer.json)
        assert (answer.status_code, words in text) == (status, True)


def test_no_address_fails_in_another_way(app: Flask, visitor: Visitor) -> None:
    token = visitor.token()
    answers: dict[str, TestResponse] = {}
    with away(app):
        for rule in app.url_map.iter_rules():
            path = app.url_map.bind("").build(rule.endpoint, dict.fromkeys(rule.arguments, 1))
            for method in {"GET", "POST"} & (rule.methods or set()):
                form = {"csrf_token": token, "use": "passkey-proof"} if method == "POST" else None
                answer = visitor.send(method, path, headers=HTML, data=form)
                answers[f"{method} {rule.rule}"] = answer
    for answer in answers.values():
        check_headers(answer)
    statuses = {door: answer.status_code for door, answer in answers.items()}
    assert statuses.pop("GET /healthz") == 200
    assert {door: status for door, status in statuses.items() if status not in (503, 404)} == {}
    assert list(statuses.values()).count(503) > 100


@pytest.mark.parametrize("path", ["/school/", "/school/account", "/settings/audit"])
def test_lost_in_the_middle_of_a_page(app: Flask, visitor: Visitor, path: str) -> None:
    """After each statement of the page in its turn; what was made whole is shown."""
    whole = visitor.send("GET", path, headers=HTML)
    for statements in count(1):
        with lost_after(app, statements):
            answer = visitor.send("GET", path, headers=HTML)
        check_headers(answer)
        if answer.status_code == whole.status_code:
            break
        check_told(answer, page=True)
    assert statements > 3
    assert visitor.send("GET", path, headers=HTML).status_code == whole.status_code


def test_back_again_all_is_as_before(app: Flask, visitor: Visitor) -> None:
    with away(app):
        check_told(visitor.send("GET", "/school/", headers=HTML), page=True)
    assert visitor.send("GET", "/school/", headers=HTML).status_code == 200


on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@on_postgresql
def test_one_that_may_only_be_read_is_read_and_told(
    app: Flask, visitor: Visitor, clock: FakeClock
) -> None:
    """As after a change-over: pages are there, what is sent is not kept, and readyz names it."""
    token = visitor.token()
    db.session.execute(
        sa.text(f"ALTER DATABASE {db.engine.url.database} SET default_transaction_read_only = on")
    )
    db.session.commit()
    db.session.remove()
    db.engine.dispose()
    clock.now += timedelta(minutes=5)  # that the person was here would be noted
    assert visitor.send("GET", "/school/", headers=HTML).status_code == 200
    form = {"csrf_token": token, "email": "a@example.cn"}
    check_told(visitor.send("POST", "/settings/profile", headers=HTML, data=form), page=True)
    ready = visitor.send("GET", "/readyz").json
    assert ready is not None and "database" in ready["failing"]
    portal = app.extensions["portal"]
    [found] = [one for one in doctor.examine(db.session(), portal) if one.name == "数据库"]
    assert not found.well and "只能读取" in found.message


@on_postgresql
def test_one_whose_machine_is_gone_is_not_waited_for_long(app: Flask) -> None:
    asked: list[dict[str, object]] = []
    db.engine.dispose()
    event.listen(db.engine, "do_connect", lambda *given: asked.append(given[3]))
    db.session.execute(sa.text("SELECT 1"))
    assert [one["connect_timeout"] for one in asked] == [CONNECT_SECONDS]


GONE, WRONG = sqlite3.OperationalError("gone"), sqlite3.DataError("wrong")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (exc.OperationalError("", None, GONE), True),
        (exc.InterfaceError("", None, GONE), True),
        (exc.TimeoutError(), True),  # every connection is taken
        (exc.DBAPIError("", None, WRONG, connection_invalidated=True), True),
        (exc.InternalError("", None, psycopg.errors.ReadOnlySqlTransaction()), True),
        (exc.InternalError("", None, psycopg.errors.InFailedSqlTransaction()), False),
        (exc.DataError("", None, WRONG), False),
        (exc.IntegrityError("", None, WRONG), False),
        (ValueError(), False),
        (None, False),
    ],
)
def test_which_failures_are_the_databases(error: Exception | None, expected: bool) -> None:
    assert is_away(error) is expected
