"""How often a school is told that somebody is registered elsewhere: counted, told, bounded."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from school_portal.domain.roster import Enrolment, RosterState
from school_portal.domain.workflow import Role
from school_portal.extensions import db
from school_portal.models import AuditEvent, Notice, PolicyChange, Student, User
from school_portal.services import other_school, rosters
from school_portal.services.access import Refused
from school_portal.services.portal import Portal
from tests.conftest import FakeClock
from tests.factories.operation import Operation, running, student, workbook
from tests.factories.visitor import Visitor, user
from tests.integration.test_rosters import CONSOLE, checked, saved

WARNING, LIMIT = 2, 4
DAY = timedelta(days=1)


@pytest.fixture
def operation(session: Session, portal: Portal) -> Operation:
    """The other school holds the persons 1 to 9; the numbers are small."""
    made = running(session)
    user(session, portal, "zhang", school=made.school)
    user(session, portal, "wang", role=Role.CENTRE)
    bureau = user(session, portal, "bureau", role=Role.BUREAU)
    for name, new in (("other_school_warning", WARNING), ("other_school_limit", LIMIT)):
        at = portal.clock()
        session.add(
            PolicyChange(name=name, old=0, new=new, at=at, user_id=bureau.id, reason="示例")
        )
    session.commit()
    saved(session, portal, made.other, [student(number) for number in range(1, 10)])
    return made


def ask(session: Session, portal: Portal, operation: Operation, *numbers: int) -> None:
    """Upload these persons' numbers, and read what the check says."""
    checked(session, portal, operation.school, [student(number) for number in numbers])


def titles(session: Session) -> Sequence[str]:
    return session.scalars(
        sa.select(Notice.title).where(Notice.title.contains("其他学校")).order_by(Notice.id)
    ).all()


def test_each_answer_is_counted_and_none_of_them_names_anybody(
    session: Session, portal: Portal, operation: Operation, clock: FakeClock
) -> None:
    ask(session, portal, operation, 1, 20)
    ask(session, portal, operation, 21)
    school = operation.school
    assert other_school.told(session, school.id, clock.now) == 1
    assert other_school.told(session, operation.other.id, clock.now) == 0
    events = session.scalars(
        sa.select(AuditEvent).where(AuditEvent.action == "roster.other-school")
    ).all()
    found = [(one.actor, one.subject, one.detail) for one in events]
    assert found == [("system", f"school:{school.id}", {"answers": 1})]


def test_the_centre_is_told_once_for_each_number_that_is_reached(
    session: Session, portal: Portal, operation: Operation, clock: FakeClock
) -> None:
    ask(session, portal, operation, 1)
    assert titles(session) == []
    ask(session, portal, operation, 2)
    ask(session, portal, operation, 3)
    name = operation.school.name
    assert titles(session) == [f"{name}近 30 日被告知学生在其他学校登记 2 次"]
    ask(session, portal, operation, 4)
    assert titles(session)[1:] == [f"{name}近 30 日被告知学生在其他学校登记 4 次"]
    [centre] = session.scalars(sa.select(User).where(User.username == "wang"))
    for notice in session.scalars(sa.select(Notice).where(Notice.title.contains("其他学校"))):
        assert notice.user_id == centre.id
        assert notice.path == f"/centre/schools/{operation.school.id}"
        assert not [one for one in range(1, 10) if student(one)["证件号码*"] in notice.text]
    clock.now += 31 * DAY
    ask(session, portal, operation, 1, 2)
    assert len(titles(session)) == 3


def test_many_at_once_reach_both_numbers(
    session: Session, portal: Portal, operation: Operation
) -> None:
    ask(session, portal, operation, 1, 2, 3, 4, 5)
    assert len(titles(session)) == 2


def test_of_two_checks_at_once_one_reaches_the_number(
    app: Flask, session: Session, portal: Portal, operation: Operation
) -> None:
    school_id = operation.school.id
    session.commit()
    other_school.note(session, portal, school_id, 1)

    def another() -> None:
        with app.app_context(), Session(db.engine) as beside, beside.begin():
            other_school.note(beside, portal, school_id, 1)

    thread = threading.Thread(target=another)
    thread.start()
    thread.join(1)  # it waits for us, unless nothing makes it
    session.commit()
    thread.join()
    assert len(titles(session)) == 1


def test_beyond_the_limit_no_roster_is_checked_until_answers_are_old(
    session: Session, portal: Portal, operation: Operation, clock: FakeClock
) -> None:
    ask(session, portal, operation, 1, 2, 3)
    clock.now += 20 * DAY
    ask(session, portal, operation, 4)
    with pytest.raises(Refused, match="本平台规则：30 日内最多告知"):
        rosters.upload(
            session, portal, CONSOLE, operation.school.id, workbook([student(20)]), "名册.xlsx"
        )
    saved(session, portal, operation.other, [student(9)])
    clock.now += 10 * DAY + timedelta(seconds=1)
    ask(session, portal, operation, 5)
    assert other_school.told(session, operation.school.id, clock.now) == 2


def test_a_file_that_nobody_could_read_tells_nothing(
    session: Session, portal: Portal, operation: Operation, clock: FakeClock
) -> None:
    one = student(1)
    text = f"姓名,证件号码\n{one['姓名*']},{one['证件号码*']}\n"
    content = BytesIO(text.encode())
    roster = rosters.upload(session, portal, CONSOLE, operation.school.id, content, "名册.csv")
    for _ in rosters.read(session, portal, roster.id):
        session.commit()
    session.commit()
    assert roster.state is RosterState.FAILED
    assert other_school.told(session, operation.school.id, clock.now) == 0


def test_the_school_is_told_at_the_upload_and_the_centre_on_the_schools_page(
    app: Flask, session: Session, portal: Portal, operation: Operation
) -> None:
    ask(session, portal, operation, 1, 2, 3, 4)
    school_id = operation.school.id
    session.commit()
    zhang, wang = Visitor(app), Visitor(app)
    zhang.sign_in("zhang")
    wang.sign_in("wang")
    file = (workbook([student(20)]), "名册.xlsx")
    answer = zhang.post("/school/rosters/new", token="x" * 22, file=file)
    assert answer.status_code == 422
    assert "暂不检查新的名册" in answer.get_data(as_text=True)
    page = wang.text(f"/centre/schools/{school_id}")
    assert "近 30 日告知“已在其他学校登记”" in page and ">4 次<" in page


def test_a_correction_that_tells_it_counts_too(
    app: Flask, session: Session, portal: Portal, operation: Operation, clock: FakeClock
) -> None:
    mine = student(30, 学籍状态=Enrolment.TRANSFERRED.label)
    saved(session, portal, operation.school, [mine])
    saved(session, portal, operation.other, [student(30)])
    school_id = operation.school.id
    [former] = session.scalars(sa.select(Student.id).where(Student.school_id == school_id))
    session.commit()
    zhang = Visitor(app)
    zhang.sign_in("zhang")
    change: dict[str, Any] = {
        "name": mine["姓名*"],
        "mobile": mine["手机号码*"],
        "enrolment": Enrolment.ENROLLED.value,
        "reason": "复学",
    }
    answer = zhang.post(f"/school/students/{former}/correct", **change)
    assert "已在其他学校登记" in answer.get_data(as_text=True)
    assert other_school.told(session, school_id, clock.now) == 1
    assert session.get_one(Student, former).enrolment_status is Enrolment.TRANSFERRED
