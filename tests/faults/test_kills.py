"""`kill -9` of workers and work-horses at random moments, through the whole main job."""

from __future__ import annotations

import os
import signal
import time
from datetime import date
from random import Random

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.roster import RosterState
from school_portal.models import ApplicationMember, GroupApplication, Job, JobState, Student
from school_portal.services import applications, rosters
from school_portal.services.access import Actor
from school_portal.services.portal import Portal
from tests.factories.operation import Operation, student, workbook
from tests.faults.conftest import Crew, ended, read_job, state_of, student_count, until

pytestmark = pytest.mark.faults
CONSOLE = Actor.operator_at_the_console()
ON = date(2026, 10, 15)
KILLS = 25  # on each database
KILLS_A_JOB = 3  # fewer than the attempts after which a job is put in quarantine


def committed(session: Session, job: Job | None) -> str:
    """The job's id; the session is left without a transaction, for the workers need the lock."""
    assert job is not None
    job_id = job.id
    session.commit()
    return job_id


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
        horses = self.crew.horses()
        if horses and self.random.random() < 0.5:
            os.kill(self.random.choice(horses), signal.SIGKILL)
        else:
            # One whose horse works, where there is one.
            self.crew.kill_worker(self.random.choice(self.crew.workers))
            self.crew.start()
        self.killed += 1


def test_whatever_is_killed_no_row_is_lost_and_none_doubled(
    session: Session, portal: Portal, operation: Operation, working: Crew
) -> None:
    killer = Killer(working, seed=439)
    school, saved, rounds = operation.school, 0, 0
    while killer.killed < KILLS:
        rounds += 1
        assert rounds < 3 * KILLS
        size = killer.random.randint(300, 1000)
        rows = [student(number) for number in range(saved + 1, saved + size + 1)]
        roster = rosters.upload(session, portal, CONSOLE, school.id, workbook(rows), "名册.xlsx")
        check = committed(session, rosters.active_job(session, roster))
        assert killer.torment(check, {saved}).state is JobState.DONE
        assert (roster.state, roster.accepted) == (RosterState.CHECKED, size)

        save = committed(
            session, rosters.confirm(session, portal, CONSOLE, roster, accept_valid=True)
        )
        assert killer.torment(save, {saved, saved + size}).state is JobState.DONE
        assert (roster.state, roster.created) == (RosterState.APPLIED, size)
        saved += size

        make = committed(
            session, applications.request_generation(session, portal, CONSOLE, school, ON)
        )
        assert killer.torment(make, {saved}).state is JobState.DONE
    every_student_is_there_once(session, saved)
    every_student_applies_once(session, saved)


def every_student_is_there_once(session: Session, saved: int) -> None:
    expected = {student(number)["学号*"] for number in range(1, saved + 1)}
    found = list(session.scalars(sa.select(Student.student_no)))
    assert (len(found), set(found)) == (saved, expected)


def every_student_applies_once(session: Session, saved: int) -> None:
    members = list(session.scalars(sa.select(ApplicationMember.student_id)))
    assert len(members) == len(set(members)) == saved
    numbers = sorted(session.scalars(sa.select(GroupApplication.number)))
    assert [int(number[6:]) for number in numbers] == list(range(1, len(numbers) + 1))
