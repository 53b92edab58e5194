"""Workers told to stop, jobs told to end, and operators who do the same thing at once."""

from __future__ import annotations

import signal
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal import jobs
from school_portal.domain.roster import RosterState
from school_portal.models import Job, JobState, RosterRow
from school_portal.services.portal import utc_now
from tests.factories.operation import student
from tests.faults.conftest import (
    Crew,
    Office,
    ended,
    read_job,
    reading,
    state_of,
    student_count,
    until,
)

pytestmark = pytest.mark.faults
MANY = [student(number) for number in range(1, 6001)]


def in_the_middle(job_id: str) -> None:
    """Wait until rows were staged and others are to come."""
    until(lambda: read_job(job_id).done > 0, "the first rows")
    assert state_of(job_id) is JobState.RUNNING


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_told_to_stop_hands_its_job_back_at_once(
    office: Office, crew: Crew, environment: dict[str, str], number: signal.Signals
) -> None:
    crew.environment["SCHOOL_PORTAL_LEASE_SECONDS"] = "600"  # nobody waits for its end
    worker = crew.start()
    roster_id, check = office.upload(MANY)
    in_the_middle(check)
    worker.send_signal(number)
    assert worker.wait(timeout=30) == 0
    job = read_job(check)
    assert (job.state, job.attempts, job.leased_until) == (JobState.QUEUED, 0, None)
    crew.workers.remove(worker)
    crew.start()
    until(lambda: ended(check), "the next worker")
    assert (office.roster(roster_id).state, office.roster(roster_id).accepted) == (
        RosterState.CHECKED,
        len(MANY),
    )
    with reading() as session:
        rows = session.scalars(sa.select(RosterRow.row)).all()
    assert len(rows) == len(set(rows)) == len(MANY)


def test_an_idle_worker_stops_at_once(working: Crew) -> None:
    worker = working.workers.pop()
    worker.terminate()
    assert worker.wait(timeout=30) == 0


def test_a_job_told_to_end_leaves_nothing_half_done(
    session: Session, office: Office, working: Crew
) -> None:
    roster_id, check = office.upload(MANY)
    in_the_middle(check)
    jobs.request_cancel(session, session.get_one(Job, check))
    session.commit()
    until(lambda: ended(check), "the job's end")
    assert state_of(check) is JobState.CANCELLED
    assert office.roster(roster_id).state is RosterState.DISCARDED
    with reading() as looking:
        assert looking.scalars(sa.select(RosterRow.id)).all() == []
    assert student_count() == 0


def test_a_stuck_work_horse_loses_its_job_and_cannot_write(
    session: Session, office: Office, working: Crew
) -> None:
    roster_id, check = office.upload(MANY)
    in_the_middle(check)
    first = working.horses()
    assert len(first) == 1
    signal.pthread_sigmask(signal.SIG_BLOCK, [])
    stop(first[0])
    try:
        until(lambda: read_job(check).fence == 2, "another worker's claim", 30)
    finally:
        go_on(first[0])
    until(lambda: ended(check), "the job's end")
    assert (state_of(check), read_job(check).fence) == (JobState.DONE, 2)
    assert office.roster(roster_id).accepted == len(MANY)
    with reading() as looking:
        rows = looking.scalars(sa.select(RosterRow.row)).all()
    assert len(rows) == len(set(rows)) == len(MANY)
    until(lambda: "job.lost" in working.logs(), "the first one's giving up")


def stop(pid: int) -> None:
    import os

    os.kill(pid, signal.SIGSTOP)


def go_on(pid: int) -> None:
    import os

    os.kill(pid, signal.SIGCONT)


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


def test_what_workers_log_holds_nothing_personal(office: Office, working: Crew) -> None:
    rows = [student(number) for number in range(1, 11)]
    roster_id, check = office.upload(rows)
    until(lambda: ended(check), "the check")
    save = office.confirm(roster_id)
    until(lambda: ended(save), "the saving")
    logs = working.logs()
    assert save in logs
    personal = {cell for row in rows for name, cell in row.items() if name[:2] in ("证件", "手机", "姓名")}
    assert not [text for text in personal if text in logs]


def test_figures_tell_what_happened(session: Session, office: Office, working: Crew) -> None:
    _, check = office.upload([student(number) for number in range(1, 301)])
    until(lambda: ended(check), "the check")
    found = jobs.figures(session, utc_now() + timedelta(seconds=1))
    assert found.by_state["done"] == 1
    assert found.oldest_queued == 0.0
    assert found.rows_per_second > 0
