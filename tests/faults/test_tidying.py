"""What a waiting worker tidies away, and that it works on after it."""

from __future__ import annotations

import os
from io import BytesIO

import pytest

from school_portal.models import JobState
from school_portal.services.portal import Portal
from tests.factories.operation import student
from tests.faults.conftest import Crew, Office, ended, state_of, until

pytestmark = pytest.mark.faults


def test_a_file_without_a_row_goes_and_the_next_job_is_done(
    office: Office, crew: Crew, portal: Portal
) -> None:
    portal.storage.put(BytesIO(b"of a request that broke off"), 100)
    for path in (portal.settings.home / "files").glob("*/*"):
        os.utime(path, (0, 0))
    crew.start()
    until(lambda: not list(portal.storage.names()), "the sweep")
    _, check = office.upload([student(1)])
    until(lambda: ended(check), "the job after it")
    assert state_of(check) is JobState.DONE
