"""The saved students: on the roster's page, on a page of their own, on the command line."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from school_portal.cli import main
from school_portal.domain.roster import Enrolment
from school_portal.models import AuditEvent, Job, JobState, Student
from school_portal.services import applications, students
from school_portal.services.access import Actor
from school_portal.services.portal import Portal
from tests.factories.enrolled import enrol
from tests.factories.operation import Operation, resident_id, running, student
from tests.factories.visitor import Visitor, user, work
from tests.integration.test_rosters import saved

CLASS = {"班级": "烹饪一班"}


@pytest.fixture
def operation(session: Session, portal: Portal) -> Operation:
    made = running(session)
    user(session, portal, "zhang", school=made.school)
    user(session, portal, "li", school=made.other)
    session.commit()
    return made


@pytest.fixture
def zhang(app: Flask, operation: Operation) -> Visitor:
    visitor = Visitor(app)
    visitor.sign_in("zhang")
    return visitor


def generated(session: Session, portal: Portal, operation: Operation) -> None:
    actor = Actor.operator_at_the_console(operation.school.id)
    applications.request_generation(session, portal, actor, operation.school, portal.today())
    session.commit()
    work(session, portal)


def test_a_roster_lists_whom_it_saved(
    zhang: Visitor, operation: Operation, session: Session, portal: Portal
) -> None:
    first = enrol(session, portal, operation.school, *range(1, 31)).id
    second = enrol(session, portal, operation.school, 30, 31).id
    session.query(Job).update({Job.state: JobState.DONE})  # their work was done above
    session.commit()
    page = zhang.text(f"/school/rosters/{first}")
    assert "已保存的学生 30" in page and "学生25" in page and "学生26" not in page
    assert 'href="/school/rosters/' + str(first) + '?page=2"' in page
    assert "学生30" in zhang.text(f"/school/rosters/{first}?page=2")
    again = zhang.text(f"/school/rosters/{second}")
    assert "学生30" in again and "学生31" in again and "学生29" not in again
    assert resident_id(31) not in again


def test_all_students_and_in_which_application_each_is(
    zhang: Visitor, operation: Operation, session: Session, portal: Portal
) -> None:
    gone, later = {"学籍状态": "退学"}, {"毕业年月*": "2029-06"}
    rows = [student(1, **CLASS), student(2, **later), student(3, **gone)]
    saved(session, portal, operation.school, rows)
    generated(session, portal, operation)
    page = zhang.text("/school/students")
    for part in ("烹饪一班", "中餐烹饪", "740201", "在籍", "退学", "2027-06-30", "TB2026"):
        assert part in page
    assert "全部 3" in page and "未申报 1" in page and "已列入申报 1" in page
    left = zhang.text("/school/students?show=left")
    assert "学生2" in left and "学生1<" not in left and "学生3" not in left
    planned = zhang.text("/school/students?show=planned")
    assert "学生1" in planned and "学生2" not in planned
    assert "没有" not in zhang.text("/school/students?show=left&sort=-class&page=9")


def test_they_are_sorted(
    zhang: Visitor, operation: Operation, session: Session, portal: Portal
) -> None:
    enrol(session, portal, operation.school, 1, 2)
    session.commit()
    page = zhang.text("/school/students?sort=-number")
    assert page.index("学生2") < page.index("学生1")


def test_who_is_looked_for_stands_in_no_address(
    zhang: Visitor, operation: Operation, session: Session, portal: Portal
) -> None:
    saved(session, portal, operation.school, [student(n) for n in range(1, 31)])
    answer = zhang.post("/school/students?show=left", follow=False, query=" 学生2 ")
    assert answer.status_code == 302
    told = urlsplit(answer.location)
    assert (told.path, parse_qs(told.query)["show"]) == ("/school/students", ["left"])
    assert "学生" not in answer.location and "%E5" not in answer.location
    found = zhang.text(answer.location)
    assert "未申报 11" in found and 'value="学生2"' in found and "学生29" in found
    assert "学生1<" not in found
    by_number = zhang.post("/school/students", follow=False, query="202400007").location
    assert "学生7<" in zhang.text(by_number) and "全部 1" in zhang.text(by_number)
    nobody = zhang.post("/school/students", query="不在的人").get_data(as_text=True)
    assert "没有姓名或学号含“不在的人”的学生" in nobody
    assert "全部 30" in zhang.post("/school/students", query="").get_data(as_text=True)


def test_anothers_search_is_none(
    app: Flask, zhang: Visitor, operation: Operation, session: Session, portal: Portal
) -> None:
    enrol(session, portal, operation.other, 1)
    session.commit()
    found = zhang.post("/school/students", follow=False, query="谁").location
    li = Visitor(app)
    li.sign_in("li")
    assert "谁" not in li.text(found)
    for spoiled in ("find=x", "find=%F0%9F%98%80", f"{urlsplit(found).query}A"):
        assert "谁" not in zhang.text(f"/school/students?{spoiled}")


def test_a_document_number_leads_to_the_person(
    zhang: Visitor, operation: Operation, session: Session, portal: Portal
) -> None:
    enrol(session, portal, operation.school, 1)
    enrol(session, portal, operation.other, 2)
    student_id = session.scalars(sa.select(Student.id).where(Student.name == "学生1")).one()
    session.commit()
    number = f" {resident_id(1).lower()} "
    assert zhang.post("/school/students", follow=False, query=number).location == (
        f"/school/students/{student_id}"
    )
    missing = zhang.post("/school/students", query=resident_id(2))
    assert missing.status_code == 422
    assert "没有这个证件号码的学生" in missing.get_data(as_text=True)
    assert resident_id(2) not in missing.get_data(as_text=True)
    looked = sa.select(AuditEvent.subject).where(AuditEvent.action == "person.find")
    told = session.scalars(looked.order_by(AuditEvent.seq)).all()
    assert told == [f"student:{student_id}", f"school:{operation.school.id}"]


def test_too_long_a_text_is_told(zhang: Visitor) -> None:
    answer = zhang.post("/school/students", query="人" * 101)
    assert answer.status_code == 422
    assert "不超过 100 个字" in answer.get_data(as_text=True)


def test_whoever_left_is_not_left_out(
    operation: Operation, session: Session, portal: Portal
) -> None:
    enrol(session, portal, operation.school, *range(1, 7))
    people = session.scalars(sa.select(Student).order_by(Student.id)).all()
    for person, status in zip(people, Enrolment, strict=True):
        person.enrolment_status = status
    session.commit()
    told = students.counts(session, portal.vault, operation.school, students.Wanted())
    assert told == {"all": 6, "left": 3, "planned": 0}


@pytest.mark.parametrize(
    "query, found", [("", 2), ("学生2", 1), ("202400001", 1), (resident_id(2), 1), ("%", 0)]
)
def test_the_command(
    operation: Operation,
    session: Session,
    portal: Portal,
    capsys: pytest.CaptureFixture[str],
    query: str,
    found: int,
) -> None:
    saved(session, portal, operation.school, [student(1, **CLASS), student(2)])
    enrol(session, portal, operation.other, 3)
    uscc = operation.school.uscc
    session.commit()
    capsys.readouterr()

    def run(*more: str) -> str:
        with pytest.raises(SystemExit) as ended:
            main(["students", "list", "--school", uscc, "--query", query, *more])
        assert ended.value.code == 0
        return capsys.readouterr().out

    told = json.loads(run("--format", "json"))["students"]
    assert len(told) == found
    if not query:
        assert told[0] == {
            "student_no": "202400001",
            "name": "学生1",
            "class": "烹饪一班",
            "specialty_code": "740201",
            "specialty": "中餐烹饪",
            "enrolment_status": "enrolled",
            "graduation": "2027-06-30",
        }
    lines = run().splitlines()
    assert len(lines) == max(found, 1)
    assert ("没有这样的学生" in lines[0]) == (found == 0)
