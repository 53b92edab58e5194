"""What no form sends, sent to every door by whoever may open it: refused or read, never a failure.

Each field that any view reads is filled with what PostgreSQL, headers, XML or Python stumble over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from itertools import cycle
from pathlib import Path
from urllib.parse import unquote, urlencode

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from school_portal.extensions.web import limiter
from school_portal.services import rosters
from school_portal.services.access import Actor
from school_portal.services.portal import Portal
from tests.factories.operation import running
from tests.factories.visitor import HTML, Visitor, user, work
from tests.integration.test_isolation import Caller, Town, found_behind, town

__all__ = ["town"]

_FIELD = re.compile(
    r"""(?:args|form|values|files)\.(?:get|getlist)\(\s*"(\w+)" | form\["(\w+)"\]
        | ^\s{4}(\w+)\s=\s[\w.]*Field\(""",
    re.MULTILINE | re.VERBOSE,
)
CONTROLS = "甲\x00\x01\x0b\r\n\x1f\x7f\x85\ufffe\U0010ffff'\"<%_\\"
NUMBERS = (str(10**30), "-1", "9223372036854775808", "９", "9" * 5_000, "[" * 2_000, "")
WORDS = {"clause_id": "none", "uid": "none", "token": "none", "filename": "none"}


def fields() -> list[str]:
    """The names of all fields that views read, as the code has them."""
    found: set[str] = set()
    for path in Path("school_portal/blueprints").rglob("*.py"):
        found.update(name for names in _FIELD.findall(path.read_text()) for name in names if name)
    assert len(found) > 60
    return sorted(found)


def visits(town: Town) -> Iterator[tuple[Caller, Rule, str, str]]:
    """One of each role at each of its doors, before a thing of theirs; nobody at the public ones.

    Also before an address with a NUL in each word of it.
    """
    for rule, method, audience in town.doors():
        roles: set[object] = set()
        for caller in town.callers:
            if caller.role in roles or (caller.role not in audience if audience else caller.role):
                continue
            wheres = found_behind(town, rule, caller) if audience else [WORDS]
            if not wheres:
                continue
            roles.add(caller.role)
            where = {name: wheres[0][name] for name in rule.arguments}
            yield caller, rule, method, town.path(rule, where)
    for rule, method, _ in town.doors():
        if rule.arguments & WORDS.keys():
            where = {name: "\0" if name in WORDS else 1 for name in rule.arguments}
            yield town.callers[0], rule, method, town.path(rule, where)


def failures(town: Town, form: dict[str, object]) -> list[object]:
    """The doors at which the form, or the query, makes the portal fail."""
    town.app.config.update(PROPAGATE_EXCEPTIONS=False)
    failed: list[object] = []
    seen = 0
    for caller, rule, method, path in visits(town):
        status = knock(caller, method, path, form)
        seen += 1
        if status >= 500 and rule.endpoint != "ops.readyz":  # no Redis is up in this test
            failed.append((method, rule.rule, caller.role, status))
    assert seen > 300
    return failed


@pytest.fixture
def _nothing_stays(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a request writes is taken back at its end: each finds everything as it was."""
    monkeypatch.setattr(sa.orm.Session, "commit", sa.orm.Session.flush)
    monkeypatch.setattr(limiter, "enabled", False)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite takes them all
@pytest.mark.usefixtures("_nothing_stays")
def test_no_control_character_makes_a_page_fail(town: Town) -> None:
    """Beside what is as it should be, so that it gets far."""
    assert failures(town, {**dict.fromkeys(fields(), CONTROLS), **town.form}) == []


@pytest.mark.usefixtures("_nothing_stays")
def test_no_number_makes_a_page_fail(town: Town) -> None:
    assert failures(town, dict(zip(fields(), cycle(NUMBERS), strict=False))) == []


def knock(caller: Caller, method: str, path: str, form: dict[str, object]) -> int:
    if method == "POST":
        return caller.knock("POST", path, **form).status_code
    sent = {name: str(value)[:200] for name, value in form.items()}
    return caller.browser.send("GET", path, query_string=sent, headers=HTML).status_code


DOORS = (
    ("GET", "/auth/sign-in"),
    ("POST", "/auth/sign-in"),
    ("GET", "/nowhere"),
    ("GET", "/school"),
    ("GET", "/static/portal.css"),
    ("GET", "/static/%00"),
    ("POST", "/auth/ca/verify"),
)
HEADERS: list[dict[str, str]] = [
    {"Referer": "http://[/"},
    {"Host": "["},
    {"Host": "a b\u00e9"},
    {"Accept": "\u00ff;q=x,*/*;q=10000000000000000000000"},
    {"Accept-Language": "x" * 5_000},
    {"Cookie": "session=.eJ\u00ff; __Host-session==; visit=\u00ff\u00fe"},
    {"X-Request-Id": "\u00ff" * 40},
    {"Content-Type": "multipart/form-data"},
    {"Content-Type": "multipart/form-data; boundary=\u00ff"},
    {"Content-Type": "application/x-www-form-urlencoded; charset=none"},
    {"Content-Length": "-1"},
    {"Content-Length": "9" * 30},
    {"Range": "bytes=" + "9" * 5_000 + "-"},
    {"If-Modified-Since": "Sun, 99 Nov 99999 99:99:99 GMT"},
    {"X-Forwarded-For": "\u00ff"},
]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # asked nothing
@pytest.mark.parametrize("headers", HEADERS, ids="-".join)
@pytest.mark.parametrize("site", ["http://localhost", "https://localhost"])
def test_no_header_makes_a_page_fail(app: Flask, headers: dict[str, str], site: str) -> None:
    app.config.update(PROPAGATE_EXCEPTIONS=False)
    visitor = Visitor(app)
    page = visitor.send("GET", "/auth/sign-in", headers=HTML, base_url=site)
    token = re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', page.get_data(as_text=True))[0]
    for method, path in DOORS:
        form = urlencode({"csrf_token": token, "username": "a", "password": "b"})
        sent = {**HTML, "Content-Type": "application/x-www-form-urlencoded", **headers}
        answer = visitor.send(method, path, headers=sent, base_url=site, data=form)
        assert answer.status_code < 500, (method, path)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("名\r\nX-Planted: y\x00\x1b册.csv", "名X-Planted: y册-标错.xlsx"),
        ("...", "名册-标错.xlsx"),
        ("长" * 400 + ".csv", "长" * 96 + "-标错.xlsx"),
        ("../../\u202egpj.csv", "gpj-标错.xlsx"),
        ("甲\ud800乙.csv", "甲乙-标错.xlsx"),
    ],
)
def test_whatever_a_file_is_called_its_marks_can_be_fetched(
    app: Flask, session: Session, portal: Portal, name: str, shown: str
) -> None:
    made = running(session)
    user(session, portal, "zhang", school=made.school)
    file, clerk = BytesIO("学号,姓名\n1,甲\n".encode()), Actor.operator_at_the_console()
    roster = rosters.upload(session, portal, clerk, made.school.id, file, name)
    page = f"/school/rosters/{roster.id}/errors"
    session.commit()
    work(session, portal)
    visitor = Visitor(app)
    visitor.sign_in("zhang")
    assert fetched_as(visitor, page) == shown
    # One that was taken in before names were looked at.
    roster.file_name = name.encode(errors="ignore").decode().replace("\0", "")[:255]
    session.commit()
    assert fetched_as(visitor, page).endswith(".xlsx")


def fetched_as(visitor: Visitor, page: str) -> str:
    """The name under which a browser keeps the file."""
    answer = visitor.get(page)
    assert answer.status_code == 200
    given = answer.headers["Content-Disposition"]
    assert given.startswith("attachment;") and given.isprintable() and len(given) < 2_000
    return unquote(given.partition("filename*=UTF-8''")[2] or given.partition("filename=")[2])
