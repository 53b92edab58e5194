"""Workers told to stop, jobs told to end, and operators who do the same thing at once."""

from __future__ import annotations

import os
import signal
import sqlite3
from contextlib import closing
from subprocess import Popen

import pytest
import sqlalchemy as sa
from redis import Redis
from sqlalchemy.orm import Session

from school_portal import bell, jobs
from school_portal.domain.roster import RosterState
from school_portal.extensions import db
from school_portal.models import Job, JobState, RosterRow
from tests.factories.operation import student, workbook
from tests.faults.conftest import (
    Crew,
    Office,
    ended,
    kill_process,
    read_job,
    reading,
    state_of,
    student_count,
    until,
)

pytestmark = pytest.mark.faults
MANY = 6000
# A worker who reads on for longer than anybody waits here.
LONG = """
from threading import Event
from batch import worker
from school_portal.services import rosters
from school_portal.services.checking import Checked

def read(*_):
    for _ in range(1200):
        yield Checked([], [], 1, None, None)
        Event().wait(0.05)

rosters.read = read
worker.main()
"""


@pytest.fixture(scope="module")
def many() -> bytes:
    """A roster in several chunks."""
    return workbook([student(number) for number in range(1, MANY + 1)]).getvalue()


def in_the_middle(job_id: str) -> None:
    """Wait until rows were staged and others are to come."""
    until(lambda: read_job(job_id).done > 0, "the first rows")
    assert state_of(job_id) is JobState.RUNNING


def test_a_worker_told_to_stop_hands_its_job_back_at_once(
    office: Office, crew: Crew, many: bytes
) -> None:
    crew.environment["SCHOOL_PORTAL_LEASE_SECONDS"] = "600"  # nobody waits for its end
    worker = crew.start()
    roster_id, check = office.upload_file(many)
    in_the_middle(check)
    worker.terminate()
    assert worker.wait(timeout=60) == 0
    job = read_job(check)
    assert (job.state, job.attempts, job.leased_until) == (JobState.QUEUED, 0, None)
    crew.workers.remove(worker)
    crew.start()
    until(lambda: ended(check), "the next worker")
    assert (office.roster(roster_id).state, office.roster(roster_id).accepted) == (
        RosterState.CHECKED,
        MANY,
    )
    with reading() as session:
        rows = session.scalars(sa.select(RosterRow.row)).all()
    assert len(rows) == len(set(rows)) == MANY


def test_an_idle_worker_stops_at_once(worker: Popen[bytes], redis: Redis) -> None:
    worker.send_signal(signal.SIGINT)
    assert worker.wait(timeout=60) == 0
    assert not bell.worker_is_up(redis)


def test_a_job_told_to_end_leaves_nothing_half_done(
    session: Session, office: Office, worker: Popen[bytes], many: bytes
) -> None:
    roster_id, check = office.upload_file(many)
    in_the_middle(check)
    jobs.request_cancel(session, session.get_one(Job, check))
    session.commit()
    until(lambda: ended(check), "the job's end")
    assert state_of(check) is JobState.CANCELLED
    assert office.roster(roster_id).state is RosterState.DISCARDED
    with reading() as looking:
        assert looking.scalars(sa.select(RosterRow.id)).all() == []
    assert student_count() == 0


def test_a_work_horse_whose_worker_was_killed_hands_its_job_back(
    office: Office, crew: Crew
) -> None:
    """It watches its worker: nobody else would notice when it hangs or dies in its turn."""
    crew.environment["SCHOOL_PORTAL_LEASE_SECONDS"] = "600"  # nobody waits for its end
    worker = crew.start("-c", LONG)
    _, check = office.upload([student(1)])
    in_the_middle(check)
    crew.kill_worker(worker)
    until(lambda: state_of(check) is not JobState.RUNNING, "the orphan's giving up", seconds=30)
    job = read_job(check)
    assert (job.state, job.attempts, job.leased_until) == (JobState.QUEUED, 0, None)
    crew.start()
    until(lambda: ended(check), "the next worker")
    assert state_of(check) is JobState.DONE


def test_a_job_whose_work_horse_was_killed_is_free_at_once(
    office: Office, crew: Crew, many: bytes
) -> None:
    crew.environment["SCHOOL_PORTAL_LEASE_SECONDS"] = "600"  # nobody waits for its end
    crew.start()
    roster_id, check = office.upload_file(many)
    in_the_middle(check)
    (horse,) = crew.horses()
    kill_process(horse)
    until(lambda: ended(check), "the same worker's next work-horse")
    job = read_job(check)
    assert (job.state, job.attempts) == (JobState.DONE, 2)
    assert office.roster(roster_id).accepted == MANY


def test_a_stuck_work_horse_loses_its_job_and_cannot_write(
    office: Office, working: Crew, many: bytes
) -> None:
    roster_id, check, horse = frozen_in_the_middle(office, working, many)
    try:
        until(lambda: read_job(check).fence == 2, "another worker's claim")
    finally:
        os.kill(horse, signal.SIGCONT)
    until(lambda: ended(check), "the job's end")
    assert (state_of(check), read_job(check).fence) == (JobState.DONE, 2)
    assert office.roster(roster_id).accepted == MANY
    with reading() as looking:
        rows = looking.scalars(
            sa.select(RosterRow.row).where(RosterRow.roster_id == roster_id)
        ).all()
    assert len(rows) == len(set(rows)) == MANY
    until(lambda: "job.lost" in working.logs(), "the first one's giving up")


def frozen_in_the_middle(office: Office, working: Crew, many: bytes) -> tuple[int, str, int]:
    """A roster, its check, and the stopped work-horse that has not ended it."""
    for _ in range(10):  # where it was quicker than we are
        roster_id, check = office.upload_file(many)
        in_the_middle(check)
        (horse,) = working.horses()
        freeze_between_transactions(horse)
        if not ended(check):
            return roster_id, check, horse
        os.kill(horse, signal.SIGCONT)
    raise AssertionError("each time the check had ended")


def freeze_between_transactions(pid: int) -> None:
    """Stop a process while it holds no lock of SQLite's, which would stop everybody else too."""

    def frozen_without_the_lock() -> bool:
        os.kill(pid, signal.SIGSTOP)
        if db.engine.dialect.name != "sqlite":
            return True
        with closing(sqlite3.connect(str(db.engine.url.database), timeout=0)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                os.kill(pid, signal.SIGCONT)
                return False
            return True

    until(frozen_without_the_lock, "a moment between two transactions")


def test_the_same_file_by_two_operators_at_once_is_saved_once(
    office: Office, working: Crew
) -> None:
    rows = [student(number) for number in range(1, 401)]
    first, check_first = office.upload(rows)
    second, check_second = office.upload(rows)
    until(lambda: ended(check_first) and ended(check_second), "both checks")
    saves = [office.confirm(first), office.confirm(second)]
    until(lambda: all(map(ended, saves)), "both savings")
    assert {state_of(save) for save in saves} == {JobState.DONE}
    found = [office.roster(roster_id) for roster_id in (first, second)]
    assert {one.state for one in found} == {RosterState.APPLIED}
    assert sorted((one.created, one.unchanged) for one in found) == [(0, 400), (400, 0)]
    assert student_count() == 400
