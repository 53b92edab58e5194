"""A group application as the workbook for its body."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet
from sqlalchemy.orm import Session

from importers.written import stream_sheet, to_bytes
from school_portal.domain.levels import Level
from school_portal.models import ApplicationMember, GroupApplication, Specialty, Student
from school_portal.security import audit
from school_portal.security.vault import Vault
from school_portal.services.access import Actor, Refused

TEXT = "@"
HEADERS = (
    ("序号", 6),
    ("学号", 16),
    ("姓名", 12),
    ("证件类型", 16),
    ("证件号码", 22),
    ("性别", 6),
    ("出生日期", 12),
    ("民族", 8),
    ("手机号码", 14),
    ("培养层次", 10),
    ("专业代码", 12),
    ("专业名称", 20),
    ("班级", 16),
    ("毕业日期", 12),
)
_EDGE = Side(style="thin", color="B0B7C3")
_LINE = Border(left=_EDGE, right=_EDGE, top=_EDGE, bottom=_EDGE)
_HEAD = PatternFill("solid", fgColor="E8EEF7")


def export(session: Session, vault: Vault, actor: Actor, application: GroupApplication) -> bytes:
    """The workbook (xlsx): the application's facts on top, then its students, all as text.

    Whole document numbers leave the portal here, so the reading is on record (rulebook 11).
    Raises Refused where nobody is in it.
    """
    rows = _students(session, vault, application)
    if not rows:
        raise Refused(f"团体申报 {application.number} 中没有学生，没有可以导出的名单。")
    book = Workbook(write_only=True)
    sheet = stream_sheet(book, "团体申报名单")
    _lay_out(sheet)
    for line in _facts(application, len(rows)):
        sheet.append([text_cell(sheet, text, bold=not place) for place, text in enumerate(line)])
    sheet.append([])
    sheet.append([text_cell(sheet, title, bold=True, boxed=True) for title, width in HEADERS])
    for number, row in enumerate(rows, 1):
        sheet.append([text_cell(sheet, text, boxed=True) for text in (str(number), *row)])
    audit.record(
        session,
        actor.label,
        "application.export",
        f"application:{application.id}",
        students=len(rows),
    )
    return to_bytes(book)


def _lay_out(sheet: Worksheet) -> None:
    for place, (_, width) in enumerate(HEADERS, 1):
        sheet.column_dimensions[get_column_letter(place)].width = width
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = Worksheet.PAPERSIZE_A4
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def _facts(application: GroupApplication, students: int) -> list[tuple[str, str]]:
    body = application.body
    return [
        ("申报编号", application.number),
        ("申报学校", application.school.name),
        ("学校统一社会信用代码", application.school.uscc),
        ("评价机构", body.name if body else "上海市职业技能鉴定中心"),
        ("机构统一社会信用代码", body.uscc if body else ""),
        ("申报事项", application.route.label),
        ("职业编码", application.occupation_code),
        ("职业", application.occupation),
        ("工种", application.direction),
        ("等级", Level(application.level).label),
        ("申报状态", application.state.label),
        ("学生人数", str(students)),
    ]


def _students(
    session: Session, vault: Vault, application: GroupApplication
) -> list[tuple[str, ...]]:
    found = session.execute(
        sa.select(Student, Specialty)
        .join(ApplicationMember, ApplicationMember.student_id == Student.id)
        .join(Specialty, Specialty.id == Student.specialty_id)
        .where(ApplicationMember.application_id == application.id)
        .order_by(Student.student_no)
    )
    return [
        (
            student.student_no,
            student.name,
            student.document_type.label,
            vault.unseal("students", "document", student.document_index, student.document_sealed),
            student.sex.label if student.sex else "",
            student.birth_date.isoformat() if student.birth_date else "",
            student.ethnicity,
            vault.unseal("students", "mobile", student.document_index, student.mobile_sealed),
            student.training_level.label,
            specialty.code,
            specialty.name,
            student.class_name,
            student.graduates_on.isoformat(),
        )
        for student, specialty in found
    ]


def text_cell(sheet: Any, text: str, *, bold: bool = False, boxed: bool = False) -> Any:
    """A cell that stays text whatever it begins with: no formula comes alive in it."""
    cell = WriteOnlyCell(sheet, value=None)
    cell.value = text
    cell.data_type = "s"
    cell.number_format = TEXT
    cell.alignment = Alignment(vertical="center")
    if bold:
        cell.font = Font(bold=True)
    if boxed:
        cell.border = _LINE
        if bold:
            cell.fill = _HEAD
    return cell
