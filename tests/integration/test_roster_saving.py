"""A confirmed roster is saved as it was confirmed, or not at all; what fails is ours to mend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from batch import run
from importers import sandbox
from importers.sandbox import ReaderLost
from school_portal import jobs
from school_portal.domain.roster import RosterState
from school_portal.models import (
    ApplicationMember,
    GroupApplication,
    JobState,
    Roster,
    RosterRow,
    School,
    Student,
    Wish,
)
from school_portal.services import applications, exporting, personal_changes, rosters, saving
from school_portal.services.access import Actor, Refused
from school_portal.services.portal import Portal
from tests.factories.operation import Operation, running, student, workbook
from tests.factories.visitor import Visitor, user
from tests.factories.working import worked

CONSOLE = Actor.operator_at_the_console()
WAY_OF_FAILING = OperationalError("UPDATE", {}, Exception())


@pytest.fixture
def operation(session: Session) -> Operation:
    made = running(session)
    session.commit()
    return made


def checked(session: Session, portal: Portal, school: School, rows: list[dict[str, str]]) -> Roster:
    roster = rosters.upload(session, portal, CONSOLE, school.id, workbook(rows), "名册.xlsx")
    assert worked(session, portal, roster).state is JobState.DONE
    return roster


def confirmed(
    session: Session,
    portal: Portal,
    school: School,
    rows: list[dict[str, str]],
    *,
    accept_valid: bool = False,
) -> Roster:
    roster = checked(session, portal, school, rows)
    rosters.confirm(session, portal, CONSOLE, roster, accept_valid=accept_valid)
    session.commit()
    return roster


def count(session: Session, model: Any) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def issue_codes(session: Session, roster: Roster) -> list[tuple[int, str]]:
    return [(one["row"], one["code"]) for one in rosters.document(session, roster)["issues"]]


@pytest.fixture
def operator(app: Flask, session: Session, portal: Portal, operation: Operation) -> Visitor:
    """The school's, signed in."""
    user(session, portal, "zhang", school=operation.school)
    visitor = Visitor(app)
    visitor.sign_in("zhang")
    return visitor


def seen(operator: Visitor, roster: Roster) -> str:
    return operator.text(f"/school/rosters/{roster.id}")


def test_rosters_confirmed_together_are_saved_one_after_another(
    session: Session, portal: Portal, operation: Operation
) -> None:
    made = [
        confirmed(session, portal, operation.school, [student(n) for n in numbers])
        for numbers in ((1, 2), (2, 3), (4,))
    ]
    for roster in made:
        assert worked(session, portal, roster).state is JobState.DONE
    assert [(one.created, one.updated, one.unchanged) for one in made] == [
        (2, 0, 0),
        (1, 0, 1),
        (1, 0, 0),
    ]
    assert (count(session, Student), count(session, Wish)) == (4, 5)


def test_saving_needs_the_file_no_more(
    session: Session, portal: Portal, operation: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that cannot be read again takes nothing away from what was confirmed."""
    mine = confirmed(session, portal, operation.school, [student(1), student(2)])
    other = confirmed(session, portal, operation.school, [student(3)])
    portal.storage.delete(mine.storage_key)
    monkeypatch.setattr(sandbox, "_COMMAND", ("false",))
    worked(session, portal, other)
    assert worked(session, portal, mine).state is JobState.DONE
    assert (mine.state, mine.created, count(session, Student)) == (RosterState.APPLIED, 2, 3)


@pytest.mark.parametrize("accept_valid", [True, False])
def test_a_row_that_may_be_taken_no_longer_sends_the_whole_roster_back(
    operator: Visitor, session: Session, portal: Portal, operation: Operation, accept_valid: bool
) -> None:
    taken = student(2, **{"学号*": student(1)["学号*"]})
    mine = confirmed(
        session, portal, operation.school, [student(1), student(3)], accept_valid=accept_valid
    )
    worked(session, portal, confirmed(session, portal, operation.school, [taken]))
    worked(session, portal, mine)
    assert (mine.state, mine.accepted, mine.rejected, mine.created) == (
        RosterState.CHECKED,
        1,
        1,
        1,
    )
    assert issue_codes(session, mine) == [(2, "row.number-taken")]
    assert (count(session, Student), count(session, RosterRow)) == (1, 1)
    assert "其中 1 行现在不能保存，因此没有保存任何一行" in seen(operator, mine)
    rosters.confirm(session, portal, CONSOLE, mine, accept_valid=True)
    worked(session, portal, mine)
    assert (mine.state, mine.created, count(session, Student)) == (RosterState.APPLIED, 1, 2)


def test_a_student_deleted_after_the_check_is_not_brought_back_by_it(
    session: Session, portal: Portal, operation: Operation
) -> None:
    rows = [student(1), student(2)]
    worked(session, portal, confirmed(session, portal, operation.school, rows))
    mine = confirmed(session, portal, operation.school, [*rows, student(3)])
    gone = session.scalars(sa.select(Student).order_by(Student.student_no)).all()[0]
    personal_changes.delete(session, portal, CONSOLE, gone, "本人申请")
    session.commit()
    worked(session, portal, mine)
    assert (mine.state, mine.accepted) == (RosterState.CHECKED, 2)
    rosters.confirm(session, portal, CONSOLE, mine, accept_valid=True)
    worked(session, portal, mine)
    assert (mine.created, mine.unchanged, count(session, Student)) == (1, 1, 2)


def test_what_was_staged_must_be_what_was_accepted(
    session: Session, portal: Portal, operation: Operation
) -> None:
    mine = confirmed(session, portal, operation.school, [student(1), student(2)])
    session.execute(sa.delete(RosterRow).where(RosterRow.row == 2))
    assert worked(session, portal, mine).state is JobState.FAILED
    assert (mine.state, count(session, Student)) == (RosterState.CONFIRMED, 0)


def failing(error: Exception) -> Callable[..., Any]:
    def fail(*_: object) -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "turns", "cause"),
    [
        (KeyError("x"), 1, "程序出现意外错误"),
        (WAY_OF_FAILING, jobs.MAX_ATTEMPTS, "数据库暂时无法使用"),
        (MemoryError(), jobs.MAX_ATTEMPTS, "服务器内存不足"),
    ],
)
def test_a_saving_that_fails_keeps_what_was_confirmed_and_is_asked_for_again(
    operator: Visitor,
    session: Session,
    portal: Portal,
    operation: Operation,
    error: Exception,
    turns: int,
    cause: str,
) -> None:
    mine = confirmed(session, portal, operation.school, [student(1), student(2)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("school_portal.services.merging.merge", failing(error))
        states = [worked(session, portal, mine).state for _ in range(turns)]
    assert states == [JobState.QUEUED] * (turns - 1) + [JobState.FAILED]
    assert (mine.state, mine.accepted, count(session, RosterRow)) == (RosterState.CONFIRMED, 2, 2)
    page = seen(operator, mine)
    assert cause in page and "重新保存" in page and "已保存：" not in page
    saving.resume(session, portal, CONSOLE, mine)
    worked(session, portal, mine)
    assert (mine.state, mine.created, count(session, Student)) == (RosterState.APPLIED, 2, 2)


def quarantined(session: Session, portal: Portal, roster: Roster) -> None:
    """Its job, taken by workers that died one after another."""
    job = rosters.active_job(session, roster)
    assert job is not None
    job.attempts = jobs.MAX_ATTEMPTS
    assert worked(session, portal, roster).state is JobState.QUARANTINED


def test_no_number_of_attempts_loses_a_confirmed_roster(
    operator: Visitor, session: Session, portal: Portal, operation: Operation
) -> None:
    mine = confirmed(session, portal, operation.school, [student(1)])
    quarantined(session, portal, mine)
    assert "处理程序多次被中断" in seen(operator, mine)
    resume = f"/school/rosters/{mine.id}/resume"
    session.commit()
    operator.post(resume)
    session.expire_all()
    worked(session, portal, mine)
    assert (mine.state, mine.created) == (RosterState.APPLIED, 1)


def test_a_reader_that_is_killed_is_no_fault_of_the_file(
    operator: Visitor, session: Session, portal: Portal, operation: Operation
) -> None:
    school = operation.school
    roster = rosters.upload(session, portal, CONSOLE, school.id, workbook([student(1)]), "甲.xlsx")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sandbox, "_COMMAND", ("sh", "-c", "kill -9 $$"))
        for _ in range(jobs.MAX_ATTEMPTS):
            job = worked(session, portal, roster)
    assert (job.state, job.error) == (JobState.FAILED, ReaderLost.__name__)
    assert (roster.state, issue_codes(session, roster)) == (RosterState.READING, [])
    page = seen(operator, roster)
    assert "不是文件的问题" in page and "重新检查" in page and "另存为" not in page
    saving.resume(session, portal, CONSOLE, roster)
    worked(session, portal, roster)
    assert (roster.state, roster.accepted) == (RosterState.CHECKED, 1)


def test_a_check_in_quarantine_keeps_the_file_and_no_half_of_its_rows(
    operator: Visitor, session: Session, portal: Portal, operation: Operation
) -> None:
    school = operation.school
    roster = rosters.upload(session, portal, CONSOLE, school.id, workbook([student(1)]), "甲.xlsx")
    for _ in rosters.read(session, portal, roster.id):
        session.commit()
        if count(session, RosterRow):
            break
    session.commit()
    quarantined(session, portal, roster)
    assert (roster.state, count(session, RosterRow)) == (RosterState.READING, 0)
    assert "处理程序多次被中断" in seen(operator, roster)


def test_only_what_waits_for_nobody_is_asked_for_again(
    session: Session, portal: Portal, operation: Operation
) -> None:
    mine = confirmed(session, portal, operation.school, [student(1)])
    with pytest.raises(Refused, match="正在处理"):
        saving.resume(session, portal, CONSOLE, mine)
    session.rollback()
    worked(session, portal, mine)
    with pytest.raises(Refused, match="没有需要继续的处理"):
        saving.resume(session, portal, CONSOLE, mine)


def test_a_roster_without_students_is_not_called_passed_and_not_saved(
    operator: Visitor, session: Session, portal: Portal, operation: Operation
) -> None:
    roster = checked(session, portal, operation.school, [])
    page = seen(operator, roster)
    assert "没有可以保存的行" in page and "通过检查。" not in page and "确认保存" not in page
    with pytest.raises(Refused, match="没有可以保存的行"):
        rosters.confirm(session, portal, CONSOLE, roster, accept_valid=True)


def test_only_what_the_page_showed_is_confirmed(
    operator: Visitor, session: Session, portal: Portal, operation: Operation
) -> None:
    roster = checked(session, portal, operation.school, [student(1)])
    address = f"/school/rosters/{roster.id}/confirm"
    session.commit()
    assert "现在通过的是 1 行" in operator.post(address, rows="2").get_data(as_text=True)
    session.expire_all()
    assert roster.state is RosterState.CHECKED
    session.commit()
    assert operator.post(address, rows="1").status_code == 200
    session.expire_all()
    assert roster.state is RosterState.CONFIRMED


def test_a_job_that_has_ended_is_not_called_stopped(
    operator: Visitor, session: Session, portal: Portal, operation: Operation
) -> None:
    roster = confirmed(session, portal, operation.school, [student(1)])
    address = f"/school/jobs/{worked(session, portal, roster).id}/cancel"
    session.commit()
    assert "没有停止" in operator.post(address).get_data(as_text=True)


def test_nothing_is_planned_of_a_roster_that_was_not_saved(
    session: Session, portal: Portal, operation: Operation
) -> None:
    roster = checked(session, portal, operation.school, [student(1)])
    with pytest.raises(Refused, match="还没有保存"):
        applications.plan_document(session, portal, operation.school, portal.today(), roster.id)
    with pytest.raises(Refused, match="还没有保存"):
        applications.request_generation(
            session, portal, CONSOLE, operation.school, portal.today(), roster.id
        )


def test_what_a_generation_came_to_is_told(
    operator: Visitor, session: Session, portal: Portal, operation: Operation
) -> None:
    def generated() -> str:
        job = applications.request_generation(
            session, portal, CONSOLE, operation.school, portal.today()
        )
        job_id = job.id
        session.commit()
        run.execute(portal, job_id, "worker")
        session.commit()
        return operator.text(f"/school/applications?job={job_id}")

    assert "还没有已保存的学生" in generated()
    rows = [student(1), student(2, **{"毕业年月*": "2031-06"})]
    worked(session, portal, confirmed(session, portal, operation.school, rows))
    first, second = generated(), generated()
    assert "已生成 1 份" in first and "另有 1 名学生未列入" in first
    assert "没有生成团体申报：1 名学生已在申报中，1 名学生未列入" in second


def test_an_emptied_application_is_no_workbook(
    session: Session, portal: Portal, operation: Operation
) -> None:
    worked(session, portal, confirmed(session, portal, operation.school, [student(1)]))
    job = applications.request_generation(
        session, portal, CONSOLE, operation.school, portal.today()
    )
    applications.generate(session, portal, job)
    session.execute(sa.delete(ApplicationMember))
    made = session.scalars(sa.select(GroupApplication)).one()
    with pytest.raises(Refused, match="没有学生"):
        exporting.export(session, portal.vault, CONSOLE, made)
