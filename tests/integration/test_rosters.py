"""A roster from the upload to the students, through the services."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from school_portal.domain.roster import Enrolment, RosterState
from school_portal.extensions import db
from school_portal.models import Roster, RosterRow, School, Student, Wish
from school_portal.services import rosters, saving
from school_portal.services.access import Actor, Refused
from school_portal.services.portal import Portal
from tests.factories.operation import Operation, resident_id, running, student, workbook

CONSOLE = Actor.operator_at_the_console()


@pytest.fixture
def operation(session: Session) -> Operation:
    made = running(session)
    session.commit()
    return made


def checked(session: Session, portal: Portal, school: School, rows: list[dict[str, str]]) -> Roster:
    roster = rosters.upload(session, portal, CONSOLE, school.id, workbook(rows), "名册.xlsx")
    session.commit()
    for _ in rosters.read(session, portal, roster.id):
        session.commit()
    session.commit()
    return roster


def saved(
    session: Session,
    portal: Portal,
    school: School,
    rows: list[dict[str, str]],
    *,
    accept_valid: bool = False,
) -> Roster:
    roster = checked(session, portal, school, rows)
    rosters.confirm(session, portal, CONSOLE, roster, accept_valid=accept_valid)
    saving.save(session, portal, roster.id)
    session.commit()
    return roster


def counts(roster: Roster) -> tuple[int, int, int]:
    return roster.created, roster.updated, roster.unchanged


def codes(document: dict[str, Any]) -> list[tuple[int | None, str | None, str]]:
    return [(one["row"], one["column"], one["code"]) for one in document["issues"]]


def students(session: Session, school: School) -> list[Student]:
    query = sa.select(Student).where(Student.school_id == school.id).order_by(Student.student_no)
    return list(session.scalars(query))


def test_nothing_is_saved_before_the_school_confirms(
    session: Session, portal: Portal, operation: Operation
) -> None:
    roster = checked(session, portal, operation.school, [student(1), student(2)])
    assert roster.state is RosterState.CHECKED
    assert (roster.accepted, roster.rejected, *counts(roster)) == (2, 0, 2, 0, 0)
    assert students(session, operation.school) == []


def test_a_confirmed_roster_becomes_students_with_their_numbers_readable_again(
    session: Session, portal: Portal, operation: Operation
) -> None:
    roster = saved(session, portal, operation.school, [student(1), student(2)])
    assert roster.state is RosterState.APPLIED
    first, second = students(session, operation.school)
    assert (first.name, second.name) == ("学生1", "学生2")
    opened = portal.vault.unseal(
        "students", "document", first.document_index, first.document_sealed
    )
    assert opened == student(1)["证件号码*"]


def test_the_same_file_again_changes_nothing_and_a_changed_mobile_is_one_update(
    session: Session, portal: Portal, operation: Operation
) -> None:
    rows = [student(number) for number in range(1, 6)]
    assert counts(saved(session, portal, operation.school, rows)) == (5, 0, 0)
    assert counts(saved(session, portal, operation.school, rows)) == (0, 0, 5)
    rows[2]["手机号码*"] = "13900000000"
    assert counts(saved(session, portal, operation.school, rows)) == (0, 1, 4)
    third = students(session, operation.school)[2]
    mobile = portal.vault.unseal("students", "mobile", third.document_index, third.mobile_sealed)
    assert mobile == "13900000000"


def test_an_empty_optional_cell_keeps_what_is_saved(
    session: Session, portal: Portal, operation: Operation
) -> None:
    saved(session, portal, operation.school, [student(1, 班级="烹饪1班", 民族="汉族")])
    again = saved(session, portal, operation.school, [student(1, 班级="", 民族="回族")])
    assert counts(again) == (0, 1, 0)
    only = students(session, operation.school)[0]
    assert (only.class_name, only.ethnicity) == ("烹饪1班", "回族")


def test_with_rejected_rows_nothing_is_saved_unless_asked(
    session: Session, portal: Portal, operation: Operation
) -> None:
    rows = [student(1), student(2, **{"手机号码*": "12345"})]
    roster = checked(session, portal, operation.school, rows)
    assert (roster.accepted, roster.rejected) == (1, 1)
    with pytest.raises(Refused):
        rosters.confirm(session, portal, CONSOLE, roster, accept_valid=False)
    session.rollback()
    assert students(session, operation.school) == []
    assert counts(saved(session, portal, operation.school, rows, accept_valid=True)) == (1, 0, 0)


@pytest.mark.parametrize("status", list(Enrolment))
def test_a_person_is_held_by_one_school_until_it_leaves(
    session: Session, portal: Portal, operation: Operation, status: Enrolment
) -> None:
    saved(session, portal, operation.other, [student(1, 学籍状态=status.label)])
    roster = checked(session, portal, operation.school, [student(1)])
    refused = [(2, "证件号码", "row.other-school")] if status.holds else []
    assert codes(rosters.document(session, roster)) == refused


def test_a_student_number_of_somebody_else_is_refused(
    session: Session, portal: Portal, operation: Operation
) -> None:
    saved(session, portal, operation.school, [student(1)])
    taken = student(2, **{"学号*": student(1)["学号*"]})
    roster = checked(session, portal, operation.school, [taken])
    assert codes(rosters.document(session, roster)) == [(2, "学号", "row.number-taken")]


def test_a_row_with_errors_is_told_what_else_refuses_it(
    session: Session, portal: Portal, operation: Operation
) -> None:
    saved(session, portal, operation.school, [student(1)])
    saved(session, portal, operation.other, [student(2)])
    wrong = student(2, **{"学号*": student(1)["学号*"], "手机号码*": "12345"})
    roster = checked(session, portal, operation.school, [wrong])
    assert codes(rosters.document(session, roster)) == [
        (2, "手机号码", "cell.mobile"),
        (2, "学号", "row.number-taken"),
        (2, "证件号码", "row.other-school"),
    ]


def test_two_checked_rosters_of_the_same_file_save_each_student_once(
    session: Session, portal: Portal, operation: Operation
) -> None:
    rows = [student(1), student(2)]
    first = checked(session, portal, operation.school, rows)
    second = checked(session, portal, operation.school, rows)
    for roster in (first, second):
        rosters.confirm(session, portal, CONSOLE, roster, accept_valid=False)
        saving.save(session, portal, roster.id)
        session.commit()
    assert counts(first) == (2, 0, 0)
    assert counts(second) == (0, 0, 2)
    assert len(students(session, operation.school)) == 2
    assert session.scalar(sa.select(sa.func.count()).select_from(Wish)) == 4


def test_a_person_enrolled_elsewhere_after_the_check_sends_the_roster_back(
    session: Session, portal: Portal, operation: Operation
) -> None:
    mine = checked(session, portal, operation.school, [student(1), student(2)])
    saved(session, portal, operation.other, [student(2)])
    rosters.confirm(session, portal, CONSOLE, mine, accept_valid=False)
    saving.save(session, portal, mine.id)
    session.commit()
    assert mine.state is RosterState.CHECKED
    assert codes(rosters.document(session, mine)) == [(3, "证件号码", "row.other-school")]
    assert students(session, operation.school) == []


def test_a_file_that_is_none_fails_with_its_reason_and_keeps_its_record(
    session: Session, portal: Portal, operation: Operation
) -> None:
    stream = BytesIO(b"\x89PNG\r\n\x1a\n" + bytes(200))
    roster = rosters.upload(session, portal, CONSOLE, operation.school.id, stream, "名册.xlsx")
    for _ in rosters.read(session, portal, roster.id):
        session.commit()
    session.commit()
    assert roster.state is RosterState.FAILED
    assert codes(rosters.document(session, roster)) == [(None, None, "file.unreadable")]


def test_the_same_form_sent_twice_is_one_roster(
    session: Session, portal: Portal, operation: Operation
) -> None:
    content = workbook([student(1)]).getvalue()
    made = {
        rosters.upload(
            session,
            portal,
            CONSOLE,
            operation.school.id,
            BytesIO(content),
            "名册.xlsx",
            token="one form",
        ).id
        for _ in range(2)
    }
    assert len(made) == 1


def test_a_form_that_another_school_sent_is_not_ones_own(
    session: Session, portal: Portal, operation: Operation
) -> None:
    def sent(school: School) -> Roster:
        source = workbook([student(1)])
        return rosters.upload(session, portal, CONSOLE, school.id, source, "册.xlsx", token="form")

    theirs, mine = sent(operation.other), sent(operation.school)
    assert theirs.id != mine.id
    assert (theirs.school_id, mine.school_id) == (operation.other.id, operation.school.id)


def test_a_roster_saves_its_own_rows_alone(
    session: Session, portal: Portal, operation: Operation
) -> None:
    """Whatever else is staged, of the same persons, at this school or another."""
    school, other = operation.school, operation.other
    saved(session, portal, other, [student(2, 学籍状态="毕业"), student(5)])
    saved(session, portal, school, [student(2), student(3)])
    mine, later, theirs = (
        checked(session, portal, of, [student(number, **{"手机号码*": "13900000000"})])
        for of, number in ((school, 2), (school, 3), (other, 5))
    )
    rosters.confirm(session, portal, CONSOLE, mine, accept_valid=False)
    saving.save(session, portal, mine.id)
    session.commit()

    def mobile(one: Student) -> str:
        return portal.vault.unseal("students", "mobile", one.document_index, one.mobile_sealed)

    assert [mobile(one) for one in students(session, school)] == ["13900000000", "13800000003"]
    assert [mobile(one) for one in students(session, other)] == ["13800000002", "13800000005"]
    assert (later.state, theirs.state) == (RosterState.CHECKED, RosterState.CHECKED)
    staged = sa.select(RosterRow.roster_id).order_by(RosterRow.roster_id)
    assert session.scalars(staged).all() == [later.id, theirs.id]
    wished = sa.select(Wish.student_id).where(Wish.roster_id == mine.id)
    assert session.scalars(wished).all() == [students(session, school)[0].id]


def test_giving_a_roster_up_stops_who_works_on_it(
    session: Session, portal: Portal, operation: Operation
) -> None:
    source = workbook([student(1)])
    roster = rosters.upload(session, portal, CONSOLE, operation.school.id, source, "名册.xlsx")
    job = rosters.active_job(session, roster)
    assert job is not None
    rosters.discard(session, CONSOLE, roster)
    session.refresh(job)
    assert job.cancel_requested


def test_the_same_form_sent_twice_at_once_is_one_roster(
    assembled: Flask, session: Session, portal: Portal, operation: Operation
) -> None:
    content, school_id = workbook([student(1)]).getvalue(), operation.school.id
    session.commit()
    start = Barrier(2)

    def send(_: int) -> int:
        with assembled.app_context(), Session(db.engine) as own:
            start.wait(10)
            made = rosters.upload(
                own, portal, CONSOLE, school_id, BytesIO(content), "名册.xlsx", token="one form"
            )
            own.commit()
            return made.id

    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(send, range(2)))
    assert len(set(made)) == 1
    kept = session.scalars(sa.select(Roster.storage_key)).all()
    assert list(portal.storage.names()) == kept


def test_what_was_discarded_leaves_no_rows(
    session: Session, portal: Portal, operation: Operation
) -> None:
    roster = checked(session, portal, operation.school, [student(1)])
    rosters.discard(session, CONSOLE, roster)
    session.commit()
    assert roster.state is RosterState.DISCARDED
    assert session.scalars(sa.select(RosterRow.id)).all() == []
    with pytest.raises(Refused):
        rosters.confirm(session, portal, CONSOLE, roster, accept_valid=True)


@pytest.mark.parametrize(
    "name",
    [
        f"{resident_id(1)}.xlsx",
        f"张三{resident_id(1)}的补报.xlsx",
        "13800000001名册.xlsx",
        f"{resident_id(1)}{'长' * 246}",  # of what is too long the end is kept
    ],
)
def test_a_number_in_a_files_name_is_kept_masked(
    session: Session, portal: Portal, operation: Operation, name: str
) -> None:
    school = operation.school.id
    roster = rosters.upload(session, portal, CONSOLE, school, workbook([student(1)]), name)
    for _ in rosters.read(session, portal, roster.id):
        session.commit()
    session.commit()
    rows = session.execute(sa.text("SELECT * FROM rosters")).one()
    trail = session.execute(sa.text("SELECT detail FROM audit_events")).all()
    told = rosters.document(session, roster)["file"]["name"]
    assert told == roster.file_name
    assert len(told) <= 255
    assert not re.search(r"\d{7,}", told)  # of a masked number the head stays, six digits
    assert name not in repr((rows, trail))


def test_nothing_personal_is_kept_in_the_clear(
    session: Session, portal: Portal, operation: Operation
) -> None:
    saved(session, portal, operation.school, [student(1)])
    secrets = {student(1)["证件号码*"].encode(), student(1)["手机号码*"].encode()}
    stored = b"".join(
        path.read_bytes() for path in portal.settings.home.rglob("*") if path.is_file()
    )
    row = session.execute(sa.text("SELECT * FROM students")).one()
    stored += b"".join(value if isinstance(value, bytes) else str(value).encode() for value in row)
    assert not any(secret in stored for secret in secrets)
