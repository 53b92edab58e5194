"""What the settings keep no longer goes, and what is kept stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from batch import sweeper
from school_portal import jobs
from school_portal.domain.roster import RosterState
from school_portal.models import (
    AuditEvent,
    Notice,
    PolicyChange,
    Roster,
    RosterIssue,
    RosterRow,
    Student,
    Wish,
)
from school_portal.services import retention, reviewing, rosters
from school_portal.services.access import Refused
from school_portal.services.portal import Portal
from tests.conftest import NOW, FakeClock
from tests.factories.enrolled import CONSOLE, enrol
from tests.factories.operation import Operation, running, student, workbook
from tests.factories.visitor import user, work

LAST_DAY = datetime(2028, 10, 15, 12, tzinfo=UTC)  # uploaded 2026-10-15, kept 24 months


@pytest.fixture
def operation(session: Session) -> Operation:
    made = running(session)
    session.commit()
    return made


def checked(session: Session, portal: Portal, operation: Operation) -> Roster:
    rows = workbook([student(2), student(3, **{"手机号码*": "12"})])
    roster = rosters.upload(session, portal, CONSOLE, operation.school.id, rows, "待确认.xlsx")
    session.commit()
    for _ in rosters.read(session, portal, roster.id):
        session.commit()
    session.commit()
    return roster


def count(session: Session, model: type) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def test_rosters_go_after_their_time_and_students_stay(
    session: Session, portal: Portal, clock: FakeClock, operation: Operation
) -> None:
    applied, waiting = (
        enrol(session, portal, operation.school, 1),
        checked(session, portal, operation),
    )
    assert (count(session, RosterRow), count(session, RosterIssue)) == (1, 1)
    for days, kept in ((0, 2), (1, 0)):
        clock.now = LAST_DAY + timedelta(days=days)
        retention.expire(session, portal)
        session.commit()
        assert len(list(portal.storage.names())) == kept
    assert (applied.state, waiting.state) == (RosterState.APPLIED, RosterState.DISCARDED)
    assert (count(session, RosterRow), count(session, RosterIssue)) == (0, 0)
    assert (count(session, Student), count(session, Wish)) == (1, 1)
    with pytest.raises(Refused, match="保存期限"):
        reviewing.error_workbook(session, portal, applied)
    expired = sa.select(AuditEvent.subject).where(AuditEvent.action == "roster.expire")
    assert sorted(session.scalars(expired)) == sorted([applied.subject, waiting.subject])
    retention.expire(session, portal)
    session.commit()
    assert len(session.scalars(expired).all()) == 2


def test_the_setting_says_how_long(
    session: Session, portal: Portal, clock: FakeClock, operation: Operation
) -> None:
    enrol(session, portal, operation.school, 1)
    session.add(PolicyChange(name="roster_months", old=24, new=1, at=NOW, reason="试行"))
    clock.now = NOW + timedelta(days=33)
    retention.expire(session, portal)
    assert list(portal.storage.names()) == []


def test_old_notices_go(
    session: Session, portal: Portal, clock: FakeClock, operation: Operation
) -> None:
    reader = user(session, portal, "reader", school=operation.school)
    for number, at in enumerate((NOW, NOW + timedelta(days=2))):
        session.add(Notice(user_id=reader.id, token=f"t{number}", at=at, title="通知"))
    clock.now = LAST_DAY + timedelta(days=1)
    retention.expire(session, portal)
    session.commit()
    assert list(session.scalars(sa.select(Notice.token))) == ["t1"]


def test_workers_apply_it_and_outlive_a_storage_that_is_away(
    session: Session,
    portal: Portal,
    clock: FakeClock,
    operation: Operation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    applied = enrol(session, portal, operation.school, 1)
    clock.now = LAST_DAY + timedelta(days=1)

    def tidied() -> bool:
        jobs.enqueue(
            session,
            sweeper.FILES,
            subject_id=None,
            school_id=None,
            options={},
            actor_id=None,
            now=portal.clock(),
        )
        session.commit()
        work(session, portal)
        session.expire_all()
        return applied.expired_at is not None

    def away(key: str) -> None:
        raise ConnectionError(key)

    with monkeypatch.context() as broken:
        broken.setattr(portal.storage, "delete", away)
        assert not tidied()
    session.commit()
    assert tidied()


@pytest.mark.parametrize("error", [LookupError("a bug"), ConnectionError(), MemoryError()])
def test_a_step_that_fails_holds_up_no_other(
    assembled: Flask,
    portal: Portal,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    taken = []

    def fail(session: Session, portal: Portal) -> None:
        raise error

    def note(session: Session, portal: Portal) -> None:
        taken.append(portal)

    monkeypatch.setattr(sweeper, "TIDYING", (fail, note))
    sweeper.tidy(portal, assembled.extensions["bell"])
    assert taken == [portal]


def test_a_roster_that_cannot_be_removed_holds_up_no_other(
    session: Session,
    portal: Portal,
    clock: FakeClock,
    operation: Operation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retention, "BATCH", 1)
    stuck, gone = (enrol(session, portal, operation.school, number) for number in (1, 2))
    delete, clock.now = portal.storage.delete, LAST_DAY + timedelta(days=1)

    def away(key: str) -> None:
        if key == stuck.storage_key:
            raise ConnectionError
        delete(key)

    monkeypatch.setattr(portal.storage, "delete", away)
    for _ in range(100):
        if gone.expired_at is not None:
            break
        retention.expire(session, portal)
        session.commit()
        session.expire_all()
    assert (stuck.expired_at is None, gone.expired_at is None) == (True, False)


@pytest.mark.parametrize("state", [RosterState.READING, RosterState.CONFIRMED])
def test_what_no_worker_finished_goes_too(
    session: Session, portal: Portal, clock: FakeClock, operation: Operation, state: RosterState
) -> None:
    waiting = checked(session, portal, operation)
    waiting.state = state
    clock.now = LAST_DAY + timedelta(days=1)
    retention.expire(session, portal)
    assert (waiting.state, list(portal.storage.names())) == (RosterState.DISCARDED, [])
