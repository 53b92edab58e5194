"""What fails on our side is told as ours: nobody is sent to mend a file that is well."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from obstore.exceptions import GenericError
from sqlalchemy.orm import Session

from importers import sandbox
from school_portal.cli import failures
from school_portal.domain.roster import RosterState
from school_portal.models import JobState, Roster
from school_portal.security.cipher import Unreadable
from school_portal.services import rosters
from school_portal.services.access import Actor
from school_portal.services.portal import Portal
from school_portal.storage import FileMissing, StorageFailed
from tests.factories.operation import Operation, running, student, workbook
from tests.factories.visitor import Visitor, user
from tests.factories.working import worked

CONSOLE = Actor.operator_at_the_console()
KILLED = ("sh", "-c", "kill -9 $$")


@pytest.fixture
def operation(session: Session) -> Operation:
    made = running(session)
    session.commit()
    return made


@pytest.fixture
def operator(app: Flask, session: Session, portal: Portal, operation: Operation) -> Visitor:
    """The school's, signed in."""
    user(session, portal, "zhang", school=operation.school)
    visitor = Visitor(app)
    visitor.sign_in("zhang")
    return visitor


@pytest.fixture
def roster(session: Session, portal: Portal, operation: Operation) -> Roster:
    """Uploaded, not yet checked."""
    rows = workbook([student(1), student(2, **{"手机号码*": "1"})])
    made = rosters.upload(session, portal, CONSOLE, operation.school.id, rows, "名册.xlsx")
    session.commit()
    return made


def failing(error: Exception) -> Any:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def test_a_check_waits_for_a_storage_that_is_away(
    session: Session, portal: Portal, roster: Roster, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as away:
        away.setattr("school_portal.storage.obstore.get", failing(GenericError("away")))
        assert worked(session, portal, roster).state is JobState.QUEUED
    assert worked(session, portal, roster).state is JobState.DONE
    assert (roster.state, roster.accepted) == (RosterState.CHECKED, 1)


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (("school_portal.storage.obstore.get", failing(GenericError("x"))), "文件存储暂时无法使用"),
        (("importers.sandbox._COMMAND", KILLED), "不是文件的问题"),
    ],
)
def test_an_error_workbook_that_cannot_be_made_now_is_asked_for_again(
    operator: Visitor,
    session: Session,
    portal: Portal,
    roster: Roster,
    monkeypatch: pytest.MonkeyPatch,
    broken: tuple[str, Any],
    told: str,
) -> None:
    worked(session, portal, roster)
    address = f"/school/rosters/{roster.id}/errors"
    session.commit()
    operator.app.config.update(PROPAGATE_EXCEPTIONS=False)
    with monkeypatch.context() as patch:
        patch.setattr(*broken)
        answer = operator.get(address)
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
    assert told in answer.get_data(as_text=True)
    assert operator.get(address).status_code == 200


def test_a_file_that_is_none_has_no_error_workbook(
    operator: Visitor, session: Session, portal: Portal, operation: Operation
) -> None:
    stream = BytesIO(b"\x89PNG\r\n\x1a\n" + bytes(200))
    roster = rosters.upload(session, portal, CONSOLE, operation.school.id, stream, "名册.xlsx")
    worked(session, portal, roster)
    address = f"/school/rosters/{roster.id}/errors"
    session.commit()
    answer = operator.get(address)
    assert (answer.status_code, "无法标注" in answer.get_data(as_text=True)) == (409, True)


def test_readyz_names_a_storage_that_gives_back_something_else(
    operator: Visitor, portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portal.storage, "probe", failing(Unreadable("x")))
    answer = operator.send("GET", "/readyz")
    assert answer.status_code == 503
    assert answer.json is not None
    assert "storage" in answer.json["failing"]


@pytest.mark.parametrize("error", [StorageFailed(), FileMissing(), sandbox.ReaderLost()])
def test_the_command_line_says_whose_fault_it_is(error: Exception) -> None:
    told = failures.line_of(error)
    assert told == str(error)
    assert "路径" not in told
