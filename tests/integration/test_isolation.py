"""Every route, every role, every tenant: who comes in, and what is there for them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import event
from sqlalchemy.orm import Session
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from batch.run import execute
from school_portal import jobs
from school_portal.blueprints.pages import page_of
from school_portal.domain.workflow import Role
from school_portal.extensions import db
from school_portal.models import Job, JobState, Permission, Specialty, dialect
from school_portal.services import rosters
from school_portal.services.access import Actor
from school_portal.services.portal import Portal
from school_portal.services.project_search import key_of
from tests.factories.accounts import DOCUMENT
from tests.factories.evaluations import DRINKS_4
from tests.factories.operation import resident_id, running, student, workbook
from tests.factories.things import OWN, STRANGER, Thing, everything, nowhere
from tests.factories.visitor import HTML, Visitor

EXPERTS = ("e0", "e3", "e4")  # of two panels, of one, of none
OPENED = {200, 302, 409, 422}
# What differs between two pages of the same text: the request's number, the form's token.
_NOISE = re.compile(r"[0-9a-f]{32}|value=\"[^\"]+\"")


@dataclass
class Caller:
    """Somebody at a browser, with a form's token that holds."""

    name: str
    role: Role | None
    browser: Visitor
    token: str = field(init=False)

    def __post_init__(self) -> None:
        if self.role is not None:
            assert self.browser.sign_in(self.name).status_code == 200
        page = self.browser.text("/help" if self.role else "/auth/sign-in")
        self.token = re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', page)[0]

    def knock(self, method: str, path: str, **form: object) -> TestResponse:
        data = {"csrf_token": self.token, **form} if method == "POST" else None
        return self.browser.send(method, path, headers=HTML, data=data)


@dataclass
class Town:
    """The portal with one of everything, and everybody before its doors."""

    app: Flask
    things: list[Thing]
    callers: list[Caller]
    form: dict[str, object]

    def doors(self) -> Iterator[tuple[Rule, str, tuple[Role, ...]]]:
        """Each route and method with its audience; the public ones have none."""
        for rule in self.app.url_map.iter_rules():
            audience = getattr(self.app.view_functions[rule.endpoint], "audience", ())
            for method in sorted({"GET", "POST"} & (rule.methods or set())):
                if rule.endpoint not in ("static", "auth.sign_out"):
                    yield rule, method, audience

    def behind(self, rule: Rule) -> list[Thing]:
        """What has this address; a door without any is no tested one."""
        found = [one for one in self.things if one.where.keys() == rule.arguments]
        assert found or not rule.arguments, f"nothing in tests/factories/things.py for {rule}"
        return found

    def path(self, rule: Rule, where: dict[str, int | str]) -> str:
        return self.app.url_map.bind("localhost").build(rule.endpoint, where)


@pytest.fixture
def town(app: Flask, session: Session, portal: Portal) -> Town:
    things = everything(session, portal)
    roles = [(OWN, Role.SCHOOL), (STRANGER, Role.SCHOOL)]
    roles += [(role.value, role) for role in Role if role is not Role.SCHOOL]
    roles += [(name, Role.EXPERT) for name in EXPERTS]
    callers = [Caller("", None, Visitor(app))]
    callers += [Caller(name, role, Visitor(app)) for name, role in roles]
    asked = session.query(Permission).filter_by(state="requested").one()
    specialty = session.query(Specialty).filter_by(code="740201").all()[0]
    form = {
        "training_level": "secondary",
        "project": key_of(DRINKS_4),
        "specialty": specialty.id,
        "action": "grant",
        "id": asked.id,
    }
    session.commit()
    return Town(app, things, callers, form)


def everything_kept() -> dict[str, list[str]]:
    """Every row of every table."""
    with db.engine.connect() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(sa.select(table))))
            for table in db.metadata.tables.values()
        }


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # asked nothing before
def test_strangers_are_not_let_in(town: Town) -> None:
    before = everything_kept()
    assert strangers_let_in(town) == []
    assert everything_kept() == before


def test_nobody_meets_more_than_is_theirs(town: Town) -> None:
    before = everything_kept()
    assert anothers_found(town) == []
    assert shut_to_the_public(town) == []
    assert everything_kept() == before


def strangers_let_in(town: Town) -> list[object]:
    """Who is not of a door's audience is refused, or sent to sign in."""
    wrong: list[object] = []
    for rule, method, audience in town.doors():
        where = next((dict(one.where) for one in town.behind(rule)), {}) if audience else {}
        for caller in town.callers if audience else ():
            if caller.role in audience:
                continue
            answer = caller.knock(method, town.path(rule, where), **town.form)
            refused = answer.status_code == 403
            if caller.role is None:
                refused = (answer.location or "").startswith("/auth/sign-in")
            if not refused:
                wrong.append((method, rule.rule, caller.name, answer.status_code))
    return wrong


def anothers_found(town: Town) -> list[object]:
    """What is another's looks as what does not exist, to whoever may ask for such things."""
    wrong: list[object] = []
    replayed = 0
    for rule, method, audience in town.doors():
        things = town.behind(rule) if audience else []
        for caller in (one for one in town.callers if one.role in audience):
            hidden = [one for one in things if caller.name not in one.found_by]
            if not hidden:
                continue
            nothing = caller.knock(method, town.path(rule, nowhere(hidden[0].where)), **town.form)
            for one in hidden:
                answer = caller.knock(method, town.path(rule, dict(one.where)), **town.form)
                replayed += 1
                if answer.status_code != 404 or told(answer) != told(nothing):
                    wrong.append((method, rule.rule, caller.name, one.where, answer.status_code))
    assert replayed > 500
    return wrong


def told(answer: TestResponse) -> str:
    return _NOISE.sub("", answer.get_data(as_text=True))


def shut_to_the_public(town: Town) -> list[object]:
    """What is public is there for everybody."""
    public = {"clause_id": "none", "uid": "none", "token": "none"}
    wrong: list[object] = []
    for rule, method, audience in town.doors():
        path = "" if audience else town.path(rule, {name: public[name] for name in rule.arguments})
        for caller in town.callers if path else ():
            if caller.knock(method, path).status_code in (401, 403, 500):
                wrong.append((method, path, caller.name))
    return wrong


def test_doors_open_for_their_audience(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    # What a request writes is taken back at its end: each finds everything as it was.
    monkeypatch.setattr(sa.orm.Session, "commit", sa.orm.Session.flush)
    statuses: dict[tuple[str, str, Role | None], set[int]] = defaultdict(set)
    for rule, method, audience in town.doors():
        for caller in (one for one in town.callers if audience and one.role in audience):
            for where in found_behind(town, rule, caller):
                path = town.path(rule, where) + QUERIES.get(rule.endpoint, "").format(**town.form)
                answer = caller.knock(method, path, **town.form, role=caller.role)
                statuses[rule.rule, method, caller.role].add(answer.status_code)
    shut = {door: found for door, found in statuses.items() if not found & OPENED}
    assert shut == {}
    failed = {door: found for door, found in statuses.items() if found - OPENED - {404}}
    assert failed == {}


# Document numbers: no page shows one whole to who only looks (rulebook 11).
WHOLE = {resident_id(1), DOCUMENT}
# What is written where somebody only looks: that they looked, where it has to be on record.
ON_RECORD = {"audit_events", "audit_head", "challenges", "sign_ins"}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_looking_changes_nothing(town: Town) -> None:
    before, written = everything_kept(), written_while_reading()
    looked: set[str] = set()
    shown: set[tuple[str, str]] = set()
    for rule, method, audience in town.doors():
        for caller in (one for one in town.callers if method == "GET" and one.role in audience):
            for where in found_behind(town, rule, caller):
                path = town.path(rule, where) + QUERIES.get(rule.endpoint, "").format(**town.form)
                answer = caller.knock("GET", path)
                if answer.mimetype == "text/html":
                    text = answer.get_data(as_text=True)
                    shown |= {(rule.rule, one) for one in WHOLE if one in text}
                if answer.status_code in (200, 302):
                    looked.add(rule.endpoint)
    after = everything_kept()
    assert {name for name in after if after[name] != before[name]} - ON_RECORD == set()
    assert (written, shown) == (set(), set())
    assert {"school.new_evaluation", "school.new_opening", "school.new_permissions"} <= looked


def written_while_reading() -> set[str]:
    """What is written from now on in transactions that were begun to read: their state is old."""
    found: set[str] = set()

    @event.listens_for(db.engine, "before_cursor_execute")
    def seen(connection: sa.Connection, cursor: object, statement: str, *_: object) -> None:
        reads = connection.get_execution_options().get(dialect.READ_ONLY)
        if reads and statement.startswith(("INSERT", "UPDATE", "DELETE")):
            found.add(statement)

    return found


QUERIES = {
    "centre.confirm_decision": "?action={action}&id={id}",
    "school.find_project": "?specialty={specialty}",
    "school.new_evaluation": "?training_level={training_level}",
    "school.start_evaluation": "?training_level={training_level}",
}


def found_behind(town: Town, rule: Rule, caller: Caller) -> list[dict[str, int | str]]:
    if not rule.arguments:
        return [{}]
    return [dict(one.where) for one in town.behind(rule) if caller.name in one.found_by]


_LINK = re.compile(r'<a [^>]*?href="([^"]*)')
_SEARCH = re.compile(r'<form [^>]*method="get"[^>]*')
_AN_ERROR = "请求编号"  # its page stands at no address


def test_an_answer_to_what_was_sent_leads_on(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that answers what was sent: its links open when followed, and so does its own."""
    monkeypatch.setattr(sa.orm.Session, "commit", sa.orm.Session.flush)
    opens = town.app.url_map.bind("localhost")
    wrong, answered = [], set()
    for path, answer in sent_everywhere(town):
        text = answer.get_data(as_text=True)
        leads = [urlsplit(link).path or path for link in _LINK.findall(text) if link[0] != "#"]
        leads += [path for form in _SEARCH.findall(text) if "action=" not in form]
        wrong += [(path, one) for one in leads if not opens.test(one, method="GET")]
        if _AN_ERROR not in text:
            answered.add(opens.match(path, method="POST")[0])
            with town.app.test_request_context(path, method="POST"):
                wrong += [] if page_of(path) else [(path, "no page")]
    assert wrong == []
    assert len(answered) > 30


def sent_everywhere(town: Town) -> Iterator[tuple[str, TestResponse]]:
    """Every page that answers a form, whoever sends it."""
    for rule, method, audience in town.doors():
        public = [] if audience or rule.arguments else town.callers[:1]
        callers = [one for one in town.callers if one.role in audience] or public
        for caller in callers if method == "POST" else ():
            for where in found_behind(town, rule, caller):
                path = town.path(rule, where)
                query = QUERIES.get(rule.endpoint, "").format(**town.form)
                answer = caller.knock("POST", path + query, **town.form, role=caller.role)
                if answer.status_code != 302 and answer.mimetype == "text/html":
                    yield path, answer


KINDS = ["roster-check", "roster-apply", "applications-generate"]


@pytest.mark.parametrize("cancelled", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_job_leaves_another_schools_things_alone(
    session: Session, portal: Portal, kind: str, cancelled: bool
) -> None:
    made = running(session)
    clerk = Actor.operator_at_the_console(made.school.id)
    roster = rosters.upload(
        session, portal, clerk, made.school.id, workbook([student(1)]), "册.csv"
    )
    session.query(Job).one().state = JobState.DONE  # not yet looked at
    subject = made.school.id if kind == "applications-generate" else roster.id
    job = jobs.enqueue(
        session,
        kind,
        subject_id=subject,
        school_id=made.other.id,
        options={"on": "2026-10-15", "roster": None},
        actor_id=None,
        now=portal.clock(),
    )
    job.cancel_requested = cancelled
    session.commit()
    before = everything_kept()
    execute(portal, job.id, "test")
    session.commit()
    after = everything_kept()
    assert job.state is (JobState.CANCELLED if cancelled else JobState.FAILED)
    assert {name for name in after if after[name] != before[name]} == {"jobs", "outbox"}
