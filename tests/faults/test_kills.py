"""`kill -9` of workers and work-horses at random moments, through the whole main job."""

from __future__ import annotations

import time
from datetime import date
from random import Random

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.roster import RosterState
from school_portal.models import ApplicationMember, GroupApplication, Job, JobState, Student
from school_portal.services import applications
from school_portal.services.portal import Portal
from tests.factories.operation import Operation, student
from tests.faults.conftest import (
    CONSOLE,
    Crew,
    Office,
    children,
    committed,
    ended,
    kill_process,
    read_job,
    state_of,
    student_count,
    until,
)

pytestmark = pytest.mark.faults
ON = date(2026, 10, 15)
KILLS = 25  # on each database
KILLS_A_JOB = 3  # fewer than the attempts after which a job is put in quarantine


class Killer:
    """Kills a worker or a work-horse while a job runs, and replaces the worker."""

    def __init__(self, crew: Crew, seed: int) -> None:
        self.crew = crew
        self.random = Random(seed)
        self.killed = 0

    def torment(self, job_id: str, whole: set[int]) -> Job:
        """Kill at random moments until the job has ended; `whole`: numbers of students allowed."""
        for _ in range(KILLS_A_JOB):
            until(lambda: state_of(job_id) is not JobState.QUEUED, "a claim")
            time.sleep(self.random.uniform(0, 0.4))  # the random moment, no waiting for anything
            if self.killed == KILLS or ended(job_id):
                break
            self.kill()
            assert student_count() in whole
        until(lambda: ended(job_id), "the job's end")
        assert student_count() in whole
        return read_job(job_id)

    def kill(self) -> None:
        """A work-horse, its file's reader, a worker (at work where one is), or both in one blow."""
        busy = [worker for worker in self.crew.workers if children(worker.pid)]
        worker = self.random.choice(busy or self.crew.workers)
        victim = self.random.choice(["horse", "reader", "worker", "both"])
        horses = children(worker.pid)
        readers = [reader for horse in horses for reader in children(horse)]
        if victim in ("worker", "both") or not horses:
            self.crew.kill_worker(worker)
            self.crew.start()
        if victim == "reader" and readers:
            for reader in readers:
                kill_process(reader)
        elif victim != "worker":
            for horse in horses:
                kill_process(horse)
        self.killed += 1


def test_whatever_is_killed_no_row_is_lost_and_none_doubled(
    session: Session, portal: Portal, operation: Operation, office: Office, working: Crew
) -> None:
    killer, saved, rounds = Killer(working, seed=439), 0, 0
    while killer.killed < KILLS:
        rounds += 1
        assert rounds < KILLS
        size = killer.random.randint(300, 1000)
        rows = [student(number) for number in range(saved + 1, saved + size + 1)]
        roster_id, check = office.upload(rows)
        assert killer.torment(check, {saved}).state is JobState.DONE
        assert office.roster(roster_id).accepted == size

        assert killer.torment(office.confirm(roster_id), {saved, saved + size}).state is (
            JobState.DONE
        )
        assert (office.roster(roster_id).state, office.roster(roster_id).created) == (
            RosterState.APPLIED,
            size,
        )
        saved += size

        job = applications.request_generation(session, portal, CONSOLE, operation.school, ON)
        assert killer.torment(committed(session, job), {saved}).state is JobState.DONE
    every_student_is_there_once(session, saved)
    every_student_applies_once(session, saved)
    nothing_personal_was_logged(working, saved)


def every_student_is_there_once(session: Session, saved: int) -> None:
    expected = {student(number)["学号*"] for number in range(1, saved + 1)}
    found = list(session.scalars(sa.select(Student.student_no)))
    assert (len(found), set(found)) == (saved, expected)


def every_student_applies_once(session: Session, saved: int) -> None:
    members = list(session.scalars(sa.select(ApplicationMember.student_id)))
    assert len(members) == len(set(members)) == saved
    numbers = sorted(session.scalars(sa.select(GroupApplication.number)))
    assert [int(number[6:]) for number in numbers] == list(range(1, len(numbers) + 1))


def nothing_personal_was_logged(crew: Crew, saved: int) -> None:
    logs = crew.logs()
    assert "job.done" in logs
    for number in range(1, saved + 1):
        row = student(number)
        assert not [row[name] for name in ("姓名*", "证件号码*", "手机号码*") if row[name] in logs]
