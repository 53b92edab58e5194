"""The ledger: claims, fences, leases, attempts, the outbox and the bell."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
import structlog
from flask import Flask
from redis import Redis
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from batch import run, sweeper
from importers.sandbox import ReaderLost
from school_portal import bell, jobs
from school_portal.domain.roster import RosterState
from school_portal.embedded_redis import EmbeddedRedis
from school_portal.extensions import db
from school_portal.models import Job, JobState, OutboxMessage, Roster, dialect
from school_portal.services import rosters
from school_portal.services.access import Actor
from school_portal.services.figures import figures
from school_portal.services.portal import Portal
from tests.conftest import NOW
from tests.factories.jobs import claimed, enqueue, forget_the_bell
from tests.factories.operation import running, student, workbook
from tests.factories.working import worked
from tests.faults.conftest import until

CONSOLE = Actor.operator_at_the_console()


@pytest.fixture
def job(session: Session) -> Job:
    made = enqueue(session)
    session.commit()
    return made


@pytest.fixture
def redis(app: Flask, portal: Portal) -> Iterator[Redis]:
    server = EmbeddedRedis(portal.settings.home)
    server.start()
    yield app.extensions["bell"]
    server.stop()


@pytest.mark.parametrize("kind", jobs.KINDS)
def test_every_kind_of_job_names_a_function(kind: str) -> None:
    assert callable(run.function_of(kind))


def test_what_rq_calls_is_there() -> None:
    module, name = jobs.ENTRY.rsplit(".", 1)
    assert (run.__name__, callable(getattr(run, name))) == (module, True)


def test_a_job_that_is_to_end_or_to_stop_is_told_at_its_checkpoint(
    session: Session, job: Job
) -> None:
    claim = claimed(session, job)
    claim.stopping.set()
    with pytest.raises(jobs.HandBack):
        claim.checkpoint(session)
    jobs.request_cancel(session, job)
    with pytest.raises(jobs.Cancelled):
        claim.checkpoint(session)


def test_what_has_ended_is_not_asked_to_end(session: Session, job: Job) -> None:
    claimed(session, job).finish(session, NOW, JobState.DONE)
    jobs.request_cancel(session, job)
    session.refresh(job)
    assert (job.state, job.cancel_requested) == (JobState.DONE, False)


@pytest.mark.parametrize(("counts", "attempts"), [(False, 0), (True, 1)])
def test_a_job_handed_back_is_free_at_once(
    session: Session, job: Job, counts: bool, attempts: int
) -> None:
    claimed(session, job).hand_back(session, counts=counts)
    session.refresh(job)
    assert (job.state, job.attempts) == (JobState.QUEUED, attempts)
    assert claimed(session, job, "second").fence == 2


def test_what_a_dead_worker_held_is_free_and_what_another_holds_is_not(
    session: Session, job: Job
) -> None:
    claimed(session, job)
    assert not jobs.release(session, job.id, "second")
    assert jobs.claim(session, job.id, "second", NOW) is None
    assert jobs.release(session, job.id, "first")
    assert claimed(session, job, "second").fence == 2


def test_the_bell_carries_the_ledger_id_and_nothing_else(session: Session, redis: Redis) -> None:
    job = enqueue(session, options={"on": "2026-10-15"})
    assert bell.rung(redis) == set()  # not before the commit
    job_id = job.id
    session.commit()
    (message,) = bell.queue(redis).get_jobs()
    assert (message.func_name, message.args, message.kwargs) == (jobs.ENTRY, [job_id], {})
    assert message.retries_left is None
    # Read as RQ keeps it: nothing that runs when it is unpacked.
    kept = redis.hget(f"rq:job:{message.id}", "data")
    assert isinstance(kept, bytes)
    assert json.loads(zlib.decompress(kept)) == [jobs.ENTRY, None, [job_id], {}]
    assert bell.rung(redis) == {job_id}


def test_a_job_that_was_undone_is_not_rung(session: Session, redis: Redis) -> None:
    with session.begin_nested():
        enqueue(session)
    session.rollback()
    enqueue(session)
    session.commit()
    assert len(bell.queue(redis).get_jobs()) == 1


def test_without_redis_a_job_waits_in_the_ledger_and_the_sweeper_rings(
    session: Session, app: Flask, portal: Portal
) -> None:
    job = enqueue(session)
    job_id = job.id
    session.commit()
    forget_the_bell(session)
    session.remove()  # type: ignore[attr-defined]  # the scoped session's lock
    connection = app.extensions["bell"]
    sweeper.sweep(portal, connection)
    server = EmbeddedRedis(portal.settings.home)
    server.start()
    try:
        for _ in range(2):  # once is enough while nobody has heard it
            sweeper.sweep(portal, connection)
            forget_the_bell(session)
        assert [message.args for message in bell.queue(connection).get_jobs()] == [[job_id]]
        connection.flushall()
        sweeper.sweep(portal, connection)
        assert bell.rung(connection) == {job_id}
    finally:
        server.stop()
    assert session.scalars(sa.select(OutboxMessage.sent_at)).one() is not None


@pytest.fixture
def roster(session: Session, portal: Portal) -> Roster:
    operation = running(session)
    made = rosters.upload(
        session, portal, CONSOLE, operation.school.id, workbook([student(1)]), "名册.xlsx"
    )
    session.commit()
    return made


def test_a_job_cancelled_before_anybody_took_it_ends_when_it_is_taken(
    session: Session, portal: Portal, roster: Roster
) -> None:
    job = rosters.active_job(session, roster)
    assert job is not None
    jobs.request_cancel(session, job)
    assert worked(session, portal, roster).state is JobState.CANCELLED
    assert roster.state is RosterState.DISCARDED


def test_a_saving_that_is_cancelled_leaves_the_decision_to_the_school(
    session: Session, portal: Portal, roster: Roster
) -> None:
    worked(session, portal, roster)
    jobs.request_cancel(
        session, rosters.confirm(session, portal, CONSOLE, roster, accept_valid=False)
    )
    assert worked(session, portal, roster).state is JobState.CANCELLED
    assert roster.state is RosterState.CHECKED
    rosters.confirm(session, portal, CONSOLE, roster, accept_valid=False)
    assert worked(session, portal, roster).state is JobState.DONE
    assert (roster.state, roster.created) == (RosterState.APPLIED, 1)


def test_a_job_in_a_long_statement_stays_its_workers(
    session: Session, portal: Portal, roster: Roster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two checkpoints the lease is lengthened: who is at work is not taken for dead."""
    monkeypatch.setenv("SCHOOL_PORTAL_LEASE_SECONDS", "0.3")
    held: list[datetime | None] = []

    def lease() -> datetime | None:
        with Session(db.engine) as looking:
            dialect.read_only(looking)
            return looking.scalars(sa.select(Job.leased_until)).one()

    def long_statement(session: Session, claim: jobs.Claim, portal: Portal) -> None:
        session.rollback()  # what is waited for is written beside it
        held.append(lease())
        until(lambda: lease() != held[0], "the heartbeat", seconds=30)
        held.append(lease())

    monkeypatch.setattr("batch.rosters.check", long_statement)
    assert worked(session, portal, roster).state is JobState.DONE
    first, second = held
    assert first is not None and second is not None and second > first


@pytest.mark.parametrize(
    ("error", "state", "roster_state"),
    [
        (OperationalError("INSERT 310104", {}, Exception("310104")), "queued", "uploaded"),
        (ReaderLost(), "queued", "uploaded"),
        (KeyError("310104"), "failed", "uploaded"),
    ],
)
def test_what_may_pass_is_tried_again_and_what_cannot_is_told_at_once(
    session: Session,
    portal: Portal,
    roster: Roster,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    state: str,
    roster_state: str,
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("batch.rosters.check", fail)
    with structlog.testing.capture_logs() as logs:
        job = worked(session, portal, roster)
    assert (job.state, roster.state) == (state, roster_state)
    assert job.attempts == 1
    assert type(error).__name__ in str(logs)
    assert "310104" not in str(logs) + str(job.error)


def test_a_sweep_that_fails_is_left_to_the_next(
    session: Session, portal: Portal, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise LookupError("a bug")

    job_id = enqueue(session).id
    forget_the_bell(session)
    redis.flushall()
    monkeypatch.setattr(jobs, "stalled", fail)
    monkeypatch.setattr(sweeper, "queue_mail", fail)
    sweeper.sweep(portal, redis)
    assert bell.rung(redis) == {job_id}


def test_a_job_that_failed_is_rung_for_a_while_later(
    session: Session, portal: Portal, redis: Redis, job: Job
) -> None:
    redis.flushall()
    claimed(session, job).hand_back(session, counts=True)
    session.commit()
    sweeper.sweep(portal, redis)
    assert bell.rung(redis) == set()
    forget_the_bell(session)
    sweeper.sweep(portal, redis)
    assert bell.rung(redis) == {job.id}


def test_figures_tell_what_waits_and_what_was_done(session: Session, job: Job) -> None:
    enqueue(session, now=NOW - timedelta(seconds=40))
    claim = claimed(session, job)
    claim.checkpoint(session, done=900)
    claim.finish(session, NOW + timedelta(seconds=3), JobState.DONE)
    found = figures(session, NOW + timedelta(seconds=10))
    assert (found.by_state["queued"], found.by_state["done"], found.by_state["failed"]) == (1, 1, 0)
    assert (found.oldest_waiting_seconds, found.failures) == (50.0, 0)
    assert found.rows_per_second == 300.0
