"""A small running operation: two schools, three bodies, what each is authorised for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from io import BytesIO
from typing import Any

import sqlalchemy as sa
from openpyxl import Workbook
from sqlalchemy.orm import Session

from school_portal.domain.facts import Basis, BodyState, BodyType, Node
from school_portal.domain.levels import TrainingLevel
from school_portal.domain.roster import Route
from school_portal.models import (
    Body,
    BodyProject,
    CatalogueOccupation,
    Cooperation,
    EvaluationLine,
    Permission,
    School,
    Specialty,
)

_WEIGHTS = [pow(2, 17 - place, 11) for place in range(17)]
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"

DRINKS = {"occupation_code": "4-03-02-10", "occupation": "调饮师", "direction": ""}
NURSE = {"occupation_code": "4-14-01-02", "occupation": "医疗护理员", "direction": ""}


def uscc(number: int) -> str:
    """The n-th well-formed unified social credit code."""
    body = f"91310000{number:09d}"
    total = sum(_ALPHABET.index(c) * pow(3, place, 31) for place, c in enumerate(body))
    return body + _ALPHABET[-total % 31]


def resident_id(number: int, *, born: date = date(2009, 3, 14)) -> str:
    """The n-th well-formed resident ID with that birth date; odd numbers are men."""
    body = f"310104{born:%Y%m%d}{number:03d}" if number < 1000 else ""
    if not body:
        body = f"{310104 + number // 1000:06d}{born:%Y%m%d}{number % 1000:03d}"
    total = sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True))
    return body + "10X98765432"[total % 11]


@dataclass(frozen=True)
class Operation:
    """The objects, attached to the session that made them."""

    school: School
    other: School
    social: Body
    enterprise: Body


def running(session: Session) -> Operation:
    """A secondary school ready to apply for 调饮师 level 4 at a social body, and another school."""
    school = a_school(1, "示例中等职业学校")
    other = a_school(2, "示例商贸职业学校")
    social = a_body(11, "示例社会培训评价组织", BodyType.SOCIAL)
    enterprise = a_body(12, "示例企业评价机构", BodyType.ENTERPRISE)
    if session.scalar(sa.select(sa.func.count()).select_from(CatalogueOccupation)) == 0:
        session.add(
            CatalogueOccupation(code="4-03-02-10", name="调饮师", direction="", levels="5 4 3 2 1")
        )
    session.add_all([school, other, social, enterprise])
    session.flush()
    for one in (school, other):
        specialty = Specialty(
            school_id=one.id,
            code="740201",
            name="中餐烹饪",
            training_level=TrainingLevel.SECONDARY,
        )
        session.add(specialty)
        session.flush()
        authorise(session, one, specialty, social, level=4, **DRINKS)
    session.flush()
    return Operation(school, other, social, enterprise)


def a_school(number: int, name: str) -> School:
    return School(
        uscc=uscc(number),
        name=name,
        district="黄浦区",
        legal_representative="校长",
        training_levels="secondary",
        opened_on=date(2025, 9, 1),
    )


def a_body(number: int, name: str, kind: BodyType) -> Body:
    return Body(
        uscc=uscc(number),
        name=name,
        type=kind,
        district="浦东新区",
        filing_no=f"S{number:06d}",
        filed_from=date(2025, 1, 1),
        filed_until=date(2027, 12, 31),
        state=BodyState.ACTIVE,
    )


def authorise(
    session: Session, school: School, specialty: Specialty, body: Body, **project: Any
) -> None:
    """Give the school everything it needs for the project with that body."""
    node = Node.SOCIAL if body.type is BodyType.SOCIAL else Node.EMPLOYER
    carried = sa.select(BodyProject).filter_by(body_id=body.id, **project)
    if session.scalar(carried) is None:
        session.add(BodyProject(body_id=body.id, basis=Basis.STANDARD, **project))
    session.add(EvaluationLine(specialty_id=specialty.id, starts_on=date(2025, 11, 1), **project))
    session.add(
        Permission(
            school_id=school.id,
            route=Route.SKILL_LEVEL,
            node=node,
            starts_on=date(2025, 11, 1),
            **project,
        )
    )
    if body.type is BodyType.ENTERPRISE:
        session.add(Cooperation(school_id=school.id, body_id=body.id, starts_on=date(2025, 9, 1)))


HEADERS = ("学号*", "姓名*", "证件号码*", "手机号码*", "专业代码", "专业名称*", "毕业年月*")


def student(number: int, **changes: str) -> dict[str, str]:
    """The n-th student's row, as a school would write it; changed or added cells by header."""
    cells = {
        "学号*": f"2024{number:05d}",
        "姓名*": f"学生{number}",
        "证件号码*": resident_id(number),
        "手机号码*": f"138{number:08d}",
        "专业代码": "740201",
        "专业名称*": "中餐烹饪",
        "毕业年月*": "2027-06",
    }
    return {**cells, **changes}


def workbook(rows: list[dict[str, str]], *, title: str | None = None) -> BytesIO:
    """A roster workbook of those rows; the columns are all that any row has."""
    headers = list(dict.fromkeys([*HEADERS, *(name for row in rows for name in row)]))
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "名册"
    if title:
        sheet.append([title])
    sheet.append(headers)
    for row in rows:
        sheet.append([row.get(header, "") for header in headers])
    for cell in (cell for line in sheet.iter_rows() for cell in line if cell.value):
        cell.data_type = "s"
    content = BytesIO()
    book.save(content)
    content.seek(0)
    return content
