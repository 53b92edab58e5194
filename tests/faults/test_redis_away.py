"""Redis emptied, stopped and started again; bells rung twice. The ledger knows better."""

from __future__ import annotations

import time
from random import Random
from subprocess import Popen

import pytest
from redis import Redis

from school_portal import bell
from school_portal.config import Settings
from school_portal.domain.roster import RosterState
from school_portal.embedded_redis import EmbeddedRedis
from school_portal.models import JobState
from tests.factories.operation import student
from tests.faults.conftest import (
    Crew,
    Office,
    ended,
    kill_process,
    read_job,
    state_of,
    student_count,
    until,
)

pytestmark = pytest.mark.faults
Process = Popen[bytes]


def test_redis_emptied_at_random_moments_loses_nothing(
    office: Office, worker: Process, redis: Redis
) -> None:
    random = Random(401)
    saved = 0
    for _ in range(4):
        rows = [student(number) for number in range(saved + 1, saved + 301)]
        roster_id, check = office.upload(rows)
        flush_until_ended(redis, random, check)
        flush_until_ended(redis, random, office.confirm(roster_id))
        assert office.roster(roster_id).state is RosterState.APPLIED
        saved += 300
        assert student_count() == saved
    until(lambda: bell.worker_is_up(redis), "a worker that shows itself again")


def flush_until_ended(redis: Redis, random: Random, job_id: str) -> None:
    """Empty Redis twice: the first time, as often as not, before the bell was heard."""
    for _ in range(2):
        redis.flushall()
        time.sleep(random.uniform(0, 0.3))  # the random moment, no waiting for anything
    until(lambda: ended(job_id), "the job's end")
    assert state_of(job_id) is JobState.DONE


def test_redis_stopped_in_the_middle_and_started_again(
    office: Office, worker: Process, valkey: EmbeddedRedis, redis: Redis
) -> None:
    rows = [student(number) for number in range(1, 501)]
    roster_id, check = office.upload(rows)
    until(lambda: state_of(check) is not JobState.QUEUED, "a claim")
    valkey.stop()
    assert not bell.worker_is_up(redis)
    until(lambda: ended(check), "the end of the job that was at hand")
    save = office.confirm(roster_id)  # nobody can hear of it, and nobody fails
    assert state_of(save) is JobState.QUEUED
    valkey.start()
    until(lambda: ended(save), "the job that waited")
    assert office.roster(roster_id).state is RosterState.APPLIED
    assert student_count() == 500
    assert worker.poll() is None


def test_the_homes_own_server_is_started_again_when_it_was_killed(
    office: Office, crew: Crew, settings: Settings
) -> None:
    del crew.environment["SCHOOL_PORTAL_REDIS_URL"]
    server = EmbeddedRedis(settings.home)
    worker = crew.start()
    roster_id, check = office.upload([student(number) for number in range(1, 301)])
    until(lambda: ended(check), "a job whose bell rang elsewhere")
    with Redis.from_url(server.url) as connection:
        kill_process(connection.info("server")["process_id"])
    save = office.confirm(roster_id)
    until(lambda: ended(save), "the job after it")
    assert student_count() == 300
    worker.terminate()
    assert worker.wait(timeout=60) == 0
    assert not server.is_up()


def test_a_job_rung_many_times_at_once_is_done_once(
    office: Office, working: Crew, redis: Redis
) -> None:
    roster_id, check = office.upload([student(number) for number in range(1, 301)])
    assert bell.ring(redis, [check] * 8)
    until(lambda: ended(check) and not bell.rung(redis), "the job's end, and all its bells heard")
    save = office.confirm(roster_id)
    assert bell.ring(redis, [save] * 8)
    until(lambda: ended(save) and not bell.rung(redis), "the job's end, and all its bells heard")
    assert [read_job(job).fence for job in (check, save)] == [1, 1]
    assert student_count() == 300
