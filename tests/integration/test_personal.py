"""One person's data on request: found, shown, given out, corrected, deleted by the own school."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy.orm import Session

from school_portal.domain.group_application import ApplicationState, MemberState
from school_portal.domain.roster import Enrolment, Route
from school_portal.models import (
    ApplicationMember,
    AuditEvent,
    GroupApplication,
    PersonalAct,
    RosterRow,
    Student,
    Wish,
)
from school_portal.services import personal, personal_changes, rosters
from school_portal.services.access import Actor, Refused
from school_portal.services.portal import Portal
from tests.conftest import NOW
from tests.factories.enrolled import enrol
from tests.factories.operation import DRINKS, Operation, resident_id, running, student, workbook
from tests.factories.visitor import Visitor, user

CONSOLE = Actor.operator_at_the_console()
WHY = "本人书面要求"


@pytest.fixture
def operation(session: Session, portal: Portal) -> Operation:
    made = running(session)
    session.commit()
    enrol(session, portal, made.school, 1, 2)
    return made


def one(session: Session, number: int = 1) -> Student:
    wanted = Student.student_no == f"2024{number:05d}"
    return session.scalars(sa.select(Student).where(wanted)).one()


def acting(operation: Operation) -> Actor:
    return Actor.operator_at_the_console(operation.school.id)


def applied(
    session: Session,
    operation: Operation,
    who: Student,
    state: ApplicationState,
    result: MemberState = MemberState.INCLUDED,
) -> GroupApplication:
    """A group application of that state with the student alone in it."""
    found = session.scalar(sa.select(sa.func.count()).select_from(GroupApplication)) or 0
    made = GroupApplication(
        number=f"TB2026{found + 1:06d}",
        school_id=operation.school.id,
        body_id=operation.social.id,
        route=Route.SKILL_LEVEL,
        level=4,
        state=state,
        created_at=NOW,
        **DRINKS,
    )
    session.add(made)
    session.flush()
    session.add(
        ApplicationMember(
            application_id=made.id,
            student_id=who.id,
            document_index=who.document_index,
            state=result,
            is_open=state is ApplicationState.DRAFT,
            level=4,
            **DRINKS,
        )
    )
    session.commit()
    return made


@pytest.mark.parametrize("typed", [resident_id(1), f" {resident_id(1).lower()} "])
def test_a_person_is_found_by_the_number(
    session: Session, portal: Portal, operation: Operation, typed: str
) -> None:
    assert personal.find(session, portal, acting(operation), typed) is one(session)
    other = Actor.operator_at_the_console(operation.other.id)
    assert personal.find(session, portal, other, typed) is None
    assert personal.find(session, portal, acting(operation), resident_id(9)) is None
    session.commit()
    found = sa.select(AuditEvent).where(AuditEvent.action == "person.find").order_by("seq")
    assert [event.detail for event in session.scalars(found)] == [
        {"found": True},
        {"found": False},
        {"found": False},
    ]


def test_all_that_is_held_is_shown_and_given_out(
    session: Session, portal: Portal, operation: Operation
) -> None:
    who = one(session)
    made = applied(session, operation, who, ApplicationState.CLOSED, MemberState.PASSED)
    held = personal.held(session, portal, who)
    assert (held.document, held.mobile) == (resident_id(1), "13800000001")
    assert held.masked == ("310104********" + resident_id(1)[-4:], "138****0001")
    assert [roster.file_name for roster in held.rosters] == ["名册.xlsx"]
    assert [one.application for one in held.certificates] == [made]
    document = personal.export(session, portal, acting(operation), who, WHY)
    session.commit()
    assert document["student"]["证件号码"] == resident_id(1)
    assert document["applications"][0]["申报编号"] == made.number
    assert [act["理由"] for act in document["acts"]] == [WHY]
    assert (len(document["wishes"]), len(document["rosters"])) == (1, 1)
    assert resident_id(2) not in json.dumps(document)
    assert personal.held(session, portal, who).mentions == 1


def test_a_correction_keeps_what_stood_there(
    session: Session, portal: Portal, operation: Operation
) -> None:
    who, before = one(session), operation.school.students_version
    change: dict[str, Any] = {
        "name": " 学\u200b生 一",
        "mobile": "139 0000 0000",
        "enrolment": Enrolment.SUSPENDED,
    }
    personal_changes.correct(session, portal, acting(operation), who, **change, reason=WHY)
    session.commit()
    assert (who.name, who.enrolment_status) == ("学生一", Enrolment.SUSPENDED)
    assert personal.held(session, portal, who).mobile == "13900000000"
    assert who.mobile_index == portal.vault.index("mobile", "13900000000")
    assert operation.school.students_version == before + 1
    act = session.scalars(sa.select(PersonalAct)).one()
    assert act.before_sealed is not None
    kept = portal.vault.unseal("personal_acts", "before", act.uid.encode(), act.before_sealed)
    assert json.loads(kept) == {
        "name": "学生1",
        "mobile": "13800000001",
        "enrolment_status": "enrolled",
    }
    event = session.scalars(sa.select(AuditEvent).order_by(AuditEvent.seq.desc())).first()
    assert event is not None
    assert event.detail["fields"] == "enrolment_status,mobile,name"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, "没有更正"),
        ({"name": " "}, "姓名"),
        ({"name": "\u2066\u2069"}, "姓名"),
        ({"name": "长" * 101}, "100 个字"),
        ({"mobile": "12"}, "11 位"),
        ({"name": "学生一", "reason": " "}, "理由"),
        ({"name": "学生一", "reason": "\u2060\u3164"}, "理由"),
    ],
)
def test_what_is_no_correction(
    session: Session, portal: Portal, operation: Operation, change: dict[str, str], told: str
) -> None:
    same: dict[str, Any] = {
        "name": "学生1",
        "mobile": "13800000001",
        "enrolment": Enrolment.ENROLLED,
        "reason": WHY,
    }
    with pytest.raises(Refused, match=told):
        personal_changes.correct(
            session, portal, acting(operation), one(session), **{**same, **change}
        )


def test_a_person_held_elsewhere_is_not_taken_back(
    session: Session, portal: Portal, operation: Operation
) -> None:
    who = one(session)
    same: dict[str, Any] = {"name": "学生1", "mobile": "13800000001", "reason": WHY}
    left = Enrolment.TRANSFERRED
    personal_changes.correct(session, portal, acting(operation), who, **same, enrolment=left)
    session.commit()
    enrol(session, portal, operation.other, 1)
    with pytest.raises(Refused, match="其他学校"):
        personal_changes.correct(
            session, portal, acting(operation), who, **same, enrolment=Enrolment.ENROLLED
        )


def test_a_person_in_drafts_alone_goes_wholly(
    session: Session, portal: Portal, operation: Operation
) -> None:
    who = one(session)
    student_id, draft = who.id, applied(session, operation, who, ApplicationState.DRAFT)
    change: dict[str, Any] = {
        "name": "学生一",
        "mobile": "13800000001",
        "enrolment": Enrolment.ENROLLED,
    }
    personal_changes.correct(session, portal, acting(operation), who, **change, reason=WHY)
    again = workbook([student(1)])
    school = operation.school.id
    waiting = rosters.upload(session, portal, acting(operation), school, again, "待确认.xlsx")
    session.commit()
    for _ in rosters.read(session, portal, waiting.id):
        session.commit()
    session.commit()
    deletion = personal_changes.delete(session, portal, acting(operation), who, WHY)
    session.commit()
    assert (list(deletion.kept), list(deletion.rosters)) == ([], ["名册.xlsx", "待确认.xlsx"])
    assert session.get(Student, student_id) is None
    assert draft.state is ApplicationState.WITHDRAWN
    assert session.scalars(sa.select(Wish.student_id)).all() == [one(session, 2).id]
    acts = session.scalars(sa.select(PersonalAct).order_by(PersonalAct.id)).all()
    assert [(act.action.value, act.before_sealed) for act in acts] == [
        ("correct", None),
        ("delete", None),
    ]
    assert personal.find(session, portal, acting(operation), resident_id(1)) is None


def test_what_another_school_staged_of_the_person_is_its_own(
    session: Session, portal: Portal, operation: Operation
) -> None:
    """Neither named to this school nor taken from that one."""
    who, others = one(session), operation.other.id
    theirs = rosters.upload(session, portal, CONSOLE, others, workbook([student(3)]), "别校.xlsx")
    session.commit()
    for _ in rosters.read(session, portal, theirs.id):
        session.commit()
    staged = session.scalars(sa.select(RosterRow)).one()
    staged.document_index = who.document_index  # as before this school enrolled the person
    session.commit()
    assert [each.file_name for each in personal.rosters_naming(session, who)] == ["名册.xlsx"]
    deletion = personal_changes.delete(session, portal, acting(operation), who, WHY)
    session.commit()
    assert list(deletion.rosters) == ["名册.xlsx"]
    assert session.scalars(sa.select(RosterRow.roster_id)).all() == [theirs.id]


@pytest.mark.parametrize(
    "state", [state for state in ApplicationState if state is not ApplicationState.DRAFT]
)
def test_what_was_handed_in_is_kept_and_named(
    session: Session, portal: Portal, operation: Operation, state: ApplicationState
) -> None:
    who = one(session)
    made = applied(session, operation, who, state)
    deletion = personal_changes.delete(session, portal, acting(operation), who, WHY)
    session.commit()
    assert list(deletion.kept) == [made.number]
    held = personal.held(session, portal, one(session))
    assert [member.application for member in held.members] == [made]
    assert held.wishes == []


def test_the_pages(app: Flask, session: Session, portal: Portal, operation: Operation) -> None:
    user(session, portal, "school", school=operation.school)
    user(session, portal, "other", school=operation.other)
    student_id, number = one(session).id, resident_id(1)
    session.commit()
    school, other = Visitor(app), Visitor(app)
    school.sign_in("school")
    other.sign_in("other")
    found = school.post("/school/students", follow=False, query=number)
    assert found.location == f"/school/students/{student_id}"
    missing = other.post("/school/students", query=number)
    assert (missing.status_code, number in missing.get_data(as_text=True)) == (422, False)
    page = f"/school/students/{student_id}"
    assert number not in school.text(page)
    assert "名册.xlsx" in school.text(page)
    assert school.post(f"{page}/export", kind="json", reason="").status_code == 422
    given = school.post(f"{page}/export", kind="json", reason=WHY)
    assert json.loads(given.data)["student"]["证件号码"] == number
    book = load_workbook(BytesIO(school.post(f"{page}/export", kind="xlsx", reason=WHY).data))
    assert number in [cell.value for cell in book["学生"][2]]
    assert book["学生"].column_dimensions["A"].width == 22
    change: dict[str, Any] = {
        "name": "学生一",
        "mobile": "13800000001",
        "enrolment": "enrolled",
        "reason": WHY,
    }
    assert "学生一" in school.post(f"{page}/correct", **change).get_data(as_text=True)
    assert school.post(f"{page}/correct", **change).status_code == 422
    for path in ("", "/correct", "/delete", "/number"):
        assert other.get(page + path).status_code == 404
    for path in ("/export", "/correct", "/delete"):
        answer = other.post(page + path, kind="json", **change)
        assert answer.status_code == 404, path
    assert "名册.xlsx" in school.text(f"{page}/delete")
    assert "已全部删除" in school.post(f"{page}/delete", reason=WHY).get_data(as_text=True)
    assert school.get(page).status_code == 404
