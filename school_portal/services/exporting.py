"""A group application as the workbook for its body."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from unicodedata import east_asian_width

import sqlalchemy as sa
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from sqlalchemy.orm import Session

from importers.written import stream_sheet, to_bytes
from school_portal.domain.levels import Level
from school_portal.models import ApplicationMember, GroupApplication, Specialty, Student
from school_portal.security import audit
from school_portal.security.vault import Vault
from school_portal.services.access import Actor, Refused

TEXT = "@"
HEADERS = (
    "序号",
    "学号",
    "姓名",
    "证件类型",
    "证件号码",
    "性别",
    "出生日期",
    "民族",
    "手机号码",
    "培养层次",
    "专业代码",
    "专业名称",
    "班级",
    "毕业日期",
)
_WIDEST, _ROOM = 30, 2  # characters: what is longer is wrapped; the cell's margins
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
    facts = _facts(application, len(rows))
    sheet = stream_sheet(book, "团体申报名单", _widths(facts, rows))
    for line in facts:
        sheet.append([text_cell(sheet, text, bold=not place) for place, text in enumerate(line)])
    sheet.append([])
    sheet.append([text_cell(sheet, title, bold=True, boxed=True) for title in HEADERS])
    sheet.print_title_rows = f"{len(facts) + 2}:{len(facts) + 2}"
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


def _widths(facts: Sequence[tuple[str, str]], rows: Sequence[tuple[str, ...]]) -> list[int]:
    """Each column as wide as its longest text, up to what is wrapped."""
    columns = zip(
        HEADERS, *((str(number), *row) for number, row in enumerate(rows, 1)), strict=True
    )
    widths = [max(map(_width, texts)) for texts in columns]
    widths[0] = max(widths[0], *(_width(label) for label, _ in facts))
    return [min(width, _WIDEST) + _ROOM for width in widths]


def _width(text: str) -> int:
    """In characters of a spreadsheet: a Han one takes two."""
    return sum(2 if east_asian_width(letter) in "FWA" else 1 for letter in text)


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
    cell.alignment = Alignment(vertical="center", wrap_text=boxed)
    if bold:
        cell.font = Font(bold=True)
    if boxed:
        cell.border = _LINE
        if bold:
            cell.fill = _HEAD
    return cell
