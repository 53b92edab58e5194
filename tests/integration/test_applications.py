"""Plan, generation and export on a real database."""

from __future__ import annotations

from datetime import date
from io import BytesIO
from typing import Any

import pytest
import sqlalchemy as sa
from openpyxl import load_workbook
from sqlalchemy.orm import Session

from school_portal.models import GroupApplication, School, Specialty
from school_portal.services import applications
from school_portal.services.access import Actor, NotFound
from school_portal.services.exporting import export
from school_portal.services.portal import Portal
from tests.factories.operation import NURSE, Operation, authorise, running, student
from tests.integration.test_rosters import saved

CONSOLE = Actor.operator_at_the_console()
ON = date(2026, 10, 15)


@pytest.fixture
def operation(session: Session) -> Operation:
    made = running(session)
    session.commit()
    return made


def generate(session: Session, portal: Portal, school: School, **options: Any) -> dict[str, Any]:
    job = applications.request_generation(session, portal, CONSOLE, school, ON, **options)
    document = applications.generate(session, portal, job)
    session.commit()
    return document


def test_what_was_previewed_is_what_is_made_and_made_once(
    session: Session, portal: Portal, operation: Operation
) -> None:
    rows = [student(number) for number in range(1, 8)]
    rows[6]["毕业年月*"] = "2029-06"
    saved(session, portal, operation.school, rows)
    planned = applications.plan_document(session, portal, operation.school, ON)
    made = generate(session, portal, operation.school)
    assert {**planned, "created": made["created"]} == made
    assert [one["students"] for one in planned["applications"]] == [
        [row["学号*"] for row in rows[:6]]
    ]
    assert [one["student_no"] for one in planned["excluded"]] == [rows[6]["学号*"]]
    assert [r["code"] for r in planned["excluded"][0]["reasons"]] == ["GRADUATING-YEAR"]

    again = generate(session, portal, operation.school)
    assert (again["applications"], again["created"]) == ([], [])
    assert [one["student_no"] for one in again["held"]] == [row["学号*"] for row in rows[:6]]
    listed = applications.listing(session, operation.school)["applications"]
    assert [one["number"] for one in listed] == ["TB2026000001"]


def test_numbers_follow_each_other_without_gaps_across_schools(
    session: Session, portal: Portal, operation: Operation
) -> None:
    for school, first in ((operation.school, 1), (operation.other, 501)):
        saved(session, portal, school, [student(first + place) for place in range(401)])
        assert len(generate(session, portal, school)["created"]) == 3
    numbers = session.scalars(sa.select(GroupApplication.number).order_by(GroupApplication.number))
    assert list(numbers) == [f"TB2026{number:06d}" for number in range(1, 7)]


def test_a_generation_that_fails_uses_no_number(
    session: Session, portal: Portal, operation: Operation
) -> None:
    saved(session, portal, operation.school, [student(1)])
    job = applications.request_generation(session, portal, CONSOLE, operation.school, ON)
    session.commit()
    applications.generate(session, portal, job)
    session.rollback()
    generate(session, portal, operation.school)
    assert session.scalars(sa.select(GroupApplication.number)).all() == ["TB2026000001"]


def test_a_roster_of_another_school_is_none(
    session: Session, portal: Portal, operation: Operation
) -> None:
    roster = saved(session, portal, operation.other, [student(1)])
    with pytest.raises(NotFound):
        applications.plan(session, portal, operation.school, ON, roster.id)


def test_the_latest_wish_counts_and_a_rosters_plan_asks_its_own(
    session: Session, portal: Portal, operation: Operation
) -> None:
    specialty = session.scalars(
        sa.select(Specialty).where(Specialty.school_id == operation.school.id)
    ).one()
    authorise(session, operation.school, specialty, operation.social, level=5, **NURSE)
    first = saved(
        session, portal, operation.school, [student(1, 申报职业="调饮师", 申报等级="四级")]
    )
    saved(session, portal, operation.school, [student(1, 申报职业="医疗护理员", 申报等级="5")])

    def planned(roster_id: int | None) -> list[tuple[str, int]]:
        document = applications.plan_document(session, portal, operation.school, ON, roster_id)
        return [(one["occupation"], one["level"]) for one in document["applications"]]

    assert planned(None) == [("医疗护理员", 5)]
    assert planned(first.id) == [("调饮师", 4)]


def test_the_export_holds_numbers_as_text_and_no_live_formula(
    session: Session, portal: Portal, operation: Operation
) -> None:
    saved(session, portal, operation.school, [student(1, **{"姓名*": "=1+1"})])
    made = generate(session, portal, operation.school)
    application = session.get_one(GroupApplication, made["created"][0])
    content = export(session, portal.vault, CONSOLE, application)
    sheet = load_workbook(BytesIO(content)).active
    assert sheet is not None
    cells = {cell.value: cell for row in sheet.iter_rows() for cell in row if cell.value}
    assert "TB2026000001" in cells
    assert cells[student(1)["证件号码*"]].data_type == "s"
    assert cells[student(1)["证件号码*"]].number_format == "@"
    assert cells["=1+1"].data_type == "s"


def test_nothing_of_the_export_is_cut_off_on_screen_or_on_paper(
    session: Session, portal: Portal, operation: Operation
) -> None:
    long = {"姓名*": "古丽·阿卜杜热西提·买买提", "班级": "二〇二四级中餐烹饪专业一班（校企合作）"}
    saved(session, portal, operation.school, [student(1, **long), student(2)])
    made = generate(session, portal, operation.school)
    application = session.get_one(GroupApplication, made["created"][0])
    sheet = load_workbook(BytesIO(export(session, portal.vault, CONSOLE, application))).active
    assert sheet is not None
    labels = [cell for cell in sheet["A"] if cell.value and cell.font.bold]
    table = [cell for row in sheet.iter_rows(min_row=14) for cell in row]
    for cell in [*labels, *table]:
        needed = sum(1 if letter.isascii() else 2 for letter in str(cell.value or ""))
        width = sheet.column_dimensions[cell.column_letter].width
        assert needed <= width or cell.alignment.wrap_text, cell.coordinate
        assert needed <= width or width > 30, cell.coordinate
    assert (sheet["A1"].value, sheet["A14"].value) == ("申报编号", "序号")
    properties = sheet.sheet_properties.pageSetUpPr
    assert properties is not None
    assert (properties.fitToPage, sheet.page_setup.fitToHeight) == (True, 0)
    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
    assert sheet.print_title_rows == "$14:$14"
