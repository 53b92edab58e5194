"""Leases: who holds a job and until when, by the one clock that all share."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
import structlog
from redis import Redis
from sqlalchemy.orm import Session

from batch import run, sweeper
from school_portal import bell, jobs
from school_portal.models import Job, JobState, OutboxMessage, dialect
from school_portal.services import doctor
from school_portal.services.portal import Portal
from tests.conftest import NOW, FakeClock
from tests.factories.jobs import claimed, enqueue, forget_the_bell, run_out, set_lease
from tests.integration.test_jobs import job, redis

__all__ = ["job", "redis"]

HOUR, TWO_MINUTES = timedelta(hours=1), timedelta(minutes=2)
APART = [-HOUR, -TWO_MINUTES, TWO_MINUTES, HOUR]


def test_a_job_is_claimed_once_until_its_lease_runs_out(session: Session, job: Job) -> None:
    first = claimed(session, job)
    assert jobs.claim(session, job.id, "second", NOW) is None
    run_out(session, job)
    second = claimed(session, job, "second")
    assert (first.fence, second.fence) == (1, 2)
    session.refresh(job)
    assert (job.worker, job.attempts, job.started_at) == ("second", 2, NOW)


def test_whoever_lost_the_lease_can_write_nothing(session: Session, job: Job) -> None:
    first = claimed(session, job)
    run_out(session, job)
    second = claimed(session, job, "second")
    writes = [
        lambda: first.checkpoint(session, done=5),
        lambda: first.finish(session, NOW, JobState.DONE),
        lambda: first.hand_back(session, counts=True),
        lambda: first.renew(session),
    ]
    for write in writes:
        with pytest.raises(jobs.LostLease):
            write()
    second.finish(session, NOW, JobState.DONE, result={"created": []})
    session.refresh(job)
    assert (job.state, job.result) == (JobState.DONE, {"created": []})
    with pytest.raises(jobs.LostLease):
        second.checkpoint(session)


def test_a_checkpoint_shows_progress_and_lengthens_the_lease(session: Session, job: Job) -> None:
    claim = claimed(session, job)
    run_out(session, job)
    claim.checkpoint(session, stage="reading", done=1000, total=5000)
    session.refresh(job)
    assert (job.stage, job.done, job.total) == ("reading", 1000, 5000)
    assert jobs.claim(session, job.id, "second", NOW) is None
    run_out(session, job)
    claim.renew(session)
    assert jobs.claim(session, job.id, "second", NOW) is None


def test_a_job_that_fails_too_often_is_put_in_quarantine(session: Session, job: Job) -> None:
    for attempt in range(jobs.MAX_ATTEMPTS):
        assert claimed(session, job).fence == attempt + 1
        run_out(session, job)
    assert jobs.claim(session, job.id, "another", NOW) is None
    session.refresh(job)
    assert (job.state, job.error, job.finished_at) == (JobState.QUARANTINED, "job.attempts", NOW)


def test_the_sweeper_frees_what_stalled(
    session: Session, portal: Portal, redis: Redis, job: Job
) -> None:
    claimed(session, job)
    run_out(session, job)
    session.commit()
    redis.flushall()
    sweeper.sweep(portal, redis)
    session.refresh(job)
    assert (job.state, job.attempts) == (JobState.QUEUED, 1)
    forget_the_bell(session)
    sweeper.sweep(portal, redis)
    assert bell.rung(redis) == {job.id}


@pytest.mark.parametrize("apart", APART)
def test_a_worker_whose_clock_is_wrong_keeps_its_job_and_takes_nobodys(
    session: Session, portal: Portal, redis: Redis, job: Job, apart: timedelta
) -> None:
    wrong = replace(portal, clock=FakeClock(portal.clock() + apart))
    others = enqueue(session)
    held = jobs.claim(session, job.id, "wrong", wrong.clock())
    claimed(session, others, "right")
    session.commit()
    assert held is not None
    for whose in (portal, wrong):
        sweeper.sweep(whose, redis)
        for one in (job, others):
            assert jobs.claim(session, one.id, "third", whose.clock()) is None
        session.commit()
    held.checkpoint(session)
    held.finish(session, wrong.clock(), JobState.DONE)
    session.refresh(job)
    session.refresh(others)
    assert [(one.state, one.fence, one.attempts) for one in (job, others)] == [
        (JobState.DONE, 1, 1),
        (JobState.RUNNING, 1, 1),
    ]


@pytest.mark.parametrize("apart", APART)
def test_a_worker_whose_clock_is_wrong_frees_what_stalled_and_rings_what_nobody_heard(
    session: Session, portal: Portal, redis: Redis, job: Job, apart: timedelta
) -> None:
    wrong = replace(portal, clock=FakeClock(portal.clock() + apart))
    claimed(session, job)
    run_out(session, job)
    session.commit()
    sweeper.sweep(wrong, redis)
    session.refresh(job)
    assert (job.state, job.attempts) == (JobState.QUEUED, 1)
    forget_the_bell(session)
    redis.flushall()
    sweeper.sweep(wrong, redis)
    assert bell.rung(redis) == {job.id}


@pytest.mark.parametrize("apart", APART)
def test_a_job_runs_at_once_whatever_the_workers_clock_says(
    session: Session, portal: Portal, redis: Redis, apart: timedelta
) -> None:
    wrong = replace(portal, clock=FakeClock(portal.clock() + apart))
    job = enqueue(session, "audit-verify", subject_id=None)
    job_id = job.id
    session.commit()
    run.execute(wrong, job_id, "wrong")
    session.commit()
    session.refresh(job)
    assert (job.state, job.attempts, job.finished_at) == (JobState.DONE, 1, wrong.clock())


def test_after_the_shared_clock_was_put_back_nothing_waits_for_it(
    session: Session, portal: Portal, redis: Redis, job: Job
) -> None:
    """SQLite's counts from the machine's start, and so begins anew with it."""
    claimed(session, job)
    set_lease(session, job, HOUR)
    session.commit()
    sweeper.sweep(portal, redis)
    session.refresh(job)
    assert (job.state, job.attempts) == (JobState.QUEUED, 1)
    redis.flushall()
    later = {"sent_at": dialect.clock(session, HOUR)}
    session.execute(sa.update(OutboxMessage).values(later))
    session.commit()
    sweeper.sweep(portal, redis)
    assert bell.rung(redis) == {job.id}


def test_on_sqlite_setting_the_machines_time_changes_no_lease(
    session: Session, portal: Portal, job: Job
) -> None:
    """Those are counted from the machine's start; PostgreSQL has a clock of its own."""
    claimed(session, job)
    session.refresh(job)
    assert job.leased_until is not None
    if portal.settings.is_sqlite:
        assert job.leased_until.year < 2000
    else:
        apart = job.leased_until - jobs.lease() - dialect.now(session)
        assert abs(apart) < timedelta(minutes=1)


def clock_at(session: Session, ahead: timedelta) -> FakeClock:
    return FakeClock(dialect.now(session) + ahead)


@pytest.mark.parametrize("ahead", [-60, 60])
def test_a_clock_apart_from_the_databases_is_told(
    session: Session, portal: Portal, ahead: int
) -> None:
    wrong = replace(portal, clock=clock_at(session, timedelta(seconds=ahead)))
    with structlog.testing.capture_logs() as lines:
        sweeper.tell_of_the_clock(wrong)
    assert [(line["event"], line["log_level"]) for line in lines] == [("clock.apart", "warning")]
    assert abs(lines[0]["seconds_ahead"] - ahead) <= 5
    [found] = [one for one in doctor.examine(session, wrong) if one.name == "时钟"]
    assert not found.well and "与数据库相差" in found.message
    assert "请校准" in found.message


def test_a_clock_that_agrees_is_no_line_of_the_log(session: Session, portal: Portal) -> None:
    right = replace(portal, clock=clock_at(session, timedelta()))
    with structlog.testing.capture_logs() as lines:
        sweeper.tell_of_the_clock(right)
    assert lines == []
