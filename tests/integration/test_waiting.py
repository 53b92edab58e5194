"""Each line of an office's list says how long it waits, and until when where a rule has a date."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from school_portal.domain.specialty_evaluation import EvaluationState
from school_portal.domain.workflow import Role
from school_portal.models import Panel
from school_portal.services.portal import Portal
from tests.conftest import NOW, FakeClock
from tests.factories.accounts import asked_for, requested
from tests.factories.evaluation import expert, officer, submitted, under_review
from tests.factories.evaluations import NURSE_5, Desk, carry_more
from tests.factories.operation import Operation, running
from tests.factories.visitor import Visitor

S = EvaluationState
LATER = NOW + timedelta(days=13)  # Wednesday, 28 October: nine working days on


@pytest.fixture
def operation(session: Session) -> Operation:
    made = running(session)
    session.commit()
    return made


def at(app: Flask, session: Session, portal: Portal, role: Role) -> Visitor:
    officer(session, portal, role)
    session.commit()
    visitor = Visitor(app)
    visitor.sign_in(role.value)
    return visitor


def words(page: str) -> str:
    """What the page says, without its marks."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))


def row(page: str, number: str) -> str:
    """The list's row of that case, with its marks."""
    return next(one for one in page.split("<tr>") if number in one)


def test_evaluations(
    app: Flask, session: Session, portal: Portal, clock: FakeClock, operation: Operation
) -> None:
    school = operation.school
    new, sealed = submitted(session, school), submitted(session, school, state=S.SEALED)
    near, far = (submitted(session, school, state=S.RETURNED) for _ in range(2))
    near.correction_until, far.correction_until = date(2026, 11, 2), date(2026, 11, 3)
    reviewed = submitted(session, school, state=S.UNDER_PANEL_REVIEW)
    reviewed.correction_until = date(2026, 10, 30)  # of an earlier return: done with
    session.add(Panel(evaluation=reviewed, convened_at=NOW, due_on=date(2026, 10, 27)))
    session.commit()
    clock.now = LATER
    teaching = at(app, session, portal, Role.TEACHING_OFFICE)
    page = teaching.text("/office/evaluations")
    cases = (reviewed, near, far, new, sealed)
    places = [page.index(f">{one.number}<") for one in cases]
    assert places == sorted(places)  # by the date to keep, then by arrival, what is done last

    assert "已 14 天（10 个工作日）" in words(row(page, str(new.number)))
    assert "已 14 天" not in words(row(page, str(sealed.number)))
    assert "已过期 1 天" in row(page, str(reviewed.number))
    assert "due-over" in row(page, str(reviewed.number))
    assert "还有 5 天（3 个工作日）" in words(row(page, str(near.number)))
    assert "due-near" in row(page, str(near.number))
    assert "还有 6 天（4 个工作日）" in words(row(page, str(far.number)))
    assert "due-near" not in row(page, str(far.number))


def test_a_year_that_is_not_loaded_is_not_guessed(
    app: Flask, session: Session, portal: Portal, clock: FakeClock, operation: Operation
) -> None:
    case = submitted(session, operation.school)
    session.commit()
    clock.now = datetime(2027, 1, 5, 2, tzinfo=UTC)
    page = at(app, session, portal, Role.TEACHING_OFFICE).text("/office/evaluations")
    told = words(row(page, str(case.number)))
    assert "已 83 天" in told
    assert "个工作日" not in told


def test_openings_and_permissions(
    app: Flask, session: Session, portal: Portal, clock: FakeClock, operation: Operation
) -> None:
    carry_more(session, operation)
    opening = requested(session, portal, operation.other)
    asked_for(session, portal, operation.school, NURSE_5)
    session.commit()
    clock.now = LATER
    centre = at(app, session, portal, Role.CENTRE)
    told = "已 13 天（9 个工作日）"
    assert told in words(row(centre.text("/centre/openings"), str(opening.number)))
    assert told in words(centre.text(f"/centre/openings/{opening.id}"))
    assert told in words(row(centre.text("/centre/permissions"), NURSE_5.label))
    listed = centre.text("/")
    assert told in words(row(listed, str(opening.number)))


def test_experts_and_case_pages(
    app: Flask, session: Session, portal: Portal, clock: FakeClock, operation: Operation
) -> None:
    desk = Desk.of(session, portal, operation.school)
    case = desk.complete()
    desk.submit(case)
    members = under_review(
        session, portal, case, [expert(session, portal, f"e{number}") for number in range(3)]
    )
    members[0].panel.due_on = date(2026, 11, 2)
    session.commit()
    clock.now = LATER
    visitor = Visitor(app)
    visitor.sign_in("e0")
    listed = visitor.text("/expert/reviews")
    assert "已 13 天（9 个工作日）" in words(listed)
    assert "还有 5 天（3 个工作日）" in words(listed)
    page = at(app, session, portal, Role.CENTRE).text(f"/office/evaluations/{case.id}")
    assert "等待已 13 天（9 个工作日）" in words(page)
    assert "还有 5 天（3 个工作日）" in words(page)
