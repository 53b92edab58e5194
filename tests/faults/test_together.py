"""Many rosters of one school at once, and four workers."""

from __future__ import annotations

import pytest
from redis import Redis

from school_portal import bell
from school_portal.domain.roster import RosterState
from school_portal.models import JobState
from tests.factories.operation import student
from tests.faults.conftest import Crew, Office, ended, state_of, student_count, until

pytestmark = pytest.mark.faults
ROSTERS, STUDENTS = 10, 30
# The last of each roster are the first of the next.
SHARED = 5


def test_rosters_of_one_school_confirmed_together_are_all_saved(
    office: Office, crew: Crew, redis: Redis
) -> None:
    for _ in range(4):
        crew.start()
    until(lambda: redis.scard(bell.WORKERS) == 4, "four workers")
    starts = [1 + number * (STUDENTS - SHARED) for number in range(ROSTERS)]
    uploads = [
        office.upload([student(number) for number in range(first, first + STUDENTS)])
        for first in starts
    ]
    until(lambda: all(ended(check) for _, check in uploads), "all checks")
    saves = [office.confirm(roster_id) for roster_id, _ in uploads]
    until(lambda: all(ended(save) for save in saves), "all savings")
    assert [state_of(save) for save in saves] == [JobState.DONE] * ROSTERS
    saved = [office.roster(roster_id) for roster_id, _ in uploads]
    assert {one.state for one in saved} == {RosterState.APPLIED}
    everybody = starts[-1] + STUDENTS - 1
    assert (sum(one.created for one in saved), student_count()) == (everybody, everybody)
    assert sum(one.created + one.updated + one.unchanged for one in saved) == ROSTERS * STUDENTS
