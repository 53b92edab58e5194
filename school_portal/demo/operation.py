"""The demonstration's opening data: three schools, three bodies, what each is authorised for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO
from typing import Any

from openpyxl import Workbook

from importers.opening_sheets import SHEETS
from school_portal.domain.identifiers import uscc_is_valid

_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
TEXT = "@"


def uscc(number: int) -> str:
    """A well-formed unified social credit code of nobody."""
    body = f"91310000{number:09d}"
    return next(body + last for last in _USCC_ALPHABET if uscc_is_valid(body + last))


@dataclass(frozen=True, slots=True)
class Party:
    """A school or a body of the demonstration."""

    uscc: str
    name: str


SECONDARY = Party(uscc(101), "示例中等职业学校")
COLLEGE = Party(uscc(102), "示例职业技术学院")
NEWCOMER = Party(uscc(103), "示例信息技术学校")
SOCIAL = Party(uscc(201), "示例社会培训评价组织")
ENTERPRISE = Party(uscc(202), "示例企业评价机构")
CAMPUS = Party(COLLEGE.uscc, "示例职业技术学院评价机构")

# A school's name in the sign-ins, and the keyID of its operator's certificate.
KEYS = {
    "school-1": "SF-DEMO-0000000101",
    "school-2": "SF-DEMO-0000000102",
    "school-3": "SF-DEMO-0000000103",
}

DRINKS = ("4-03-02-10", "调饮师", "")
NURSE = ("4-14-01-02", "医疗护理员", "")
TABLETS = ("6-12-03-00", "药物制剂工", "片剂制备")

SOCIAL_NODE, EMPLOYER_NODE = "社会评价组织等级认定", "用人单位等级认定"


def opening_workbook(today: date) -> bytes:
    """The workbook for `opening-data load`: everything has been in force for a year."""
    since = (today - timedelta(days=365)).isoformat()
    until = (today + timedelta(days=2 * 365)).isoformat()
    return workbook({sheet: _rows(sheet, since, until) for sheet in SHEETS})


def workbook(sheets: dict[str, Sequence[Sequence[str]]]) -> bytes:
    """Sheets with the contract's headers in row 1, all cells text."""
    book = Workbook()
    del book["Sheet"]
    for name, rows in sheets.items():
        sheet: Any = book.create_sheet(name)
        sheet.append([column.name for column in SHEETS[name]])
        for row in rows:
            sheet.append(row)
        for cells in sheet.iter_rows():
            for cell in cells:
                cell.number_format = TEXT
    content = BytesIO()
    book.save(content)
    return content.getvalue()


def _rows(sheet: str, since: str, until: str) -> list[tuple[str, ...]]:
    rows: dict[str, list[tuple[str, ...]]] = {
        "学校": [
            (SECONDARY.uscc, SECONDARY.name, "黄浦区", "示例校长", "中职", KEYS["school-1"], since),
            (
                COLLEGE.uscc,
                COLLEGE.name,
                "浦东新区",
                "示例院长",
                "中职、高职",
                KEYS["school-2"],
                since,
            ),
            (NEWCOMER.uscc, NEWCOMER.name, "静安区", "示例校长", "中职", "", ""),
        ],
        "专业": [
            (SECONDARY.uscc, "740201", "中餐烹饪", "中职"),
            (SECONDARY.uscc, "720101", "护理", "中职"),
            (NEWCOMER.uscc, "740101", "旅游服务与管理", "中职"),
            (COLLEGE.uscc, "490201", "药学", "高职"),
            (COLLEGE.uscc, "690206", "制药技术应用", "中职"),
        ],
        "评价机构": [
            _body(SOCIAL, "社会培训评价组织", "S000001", since, until),
            _body(ENTERPRISE, "企业", "Q000001", since, until),
            _body(CAMPUS, "院校", "Y000001", since, until),
        ],
        "评价项目": [
            (SOCIAL.uscc, *DRINKS, "5、4、3", ""),
            (SOCIAL.uscc, *NURSE, "5、4、3", ""),
            (ENTERPRISE.uscc, *NURSE, "5、4、3", ""),
            (ENTERPRISE.uscc, *TABLETS, "5、4、3", ""),
            (CAMPUS.uscc, *TABLETS, "4、3", ""),
        ],
        "评估结论": [
            (SECONDARY.uscc, "740201", *DRINKS, "4", since, "", ""),
            (SECONDARY.uscc, "720101", *NURSE, "4", since, "", ""),
            (COLLEGE.uscc, "490201", *TABLETS, "3", since, "", ""),
            (COLLEGE.uscc, "690206", *TABLETS, "4", since, "", ""),
        ],
        "申报权限": [
            _permission(SECONDARY, SOCIAL_NODE, DRINKS, "4", since),
            _permission(SECONDARY, SOCIAL_NODE, NURSE, "4", since),
            _permission(SECONDARY, EMPLOYER_NODE, NURSE, "4", since),
            _permission(COLLEGE, EMPLOYER_NODE, TABLETS, "4、3", since),
        ],
        "校企合作": [
            (SECONDARY.uscc, ENTERPRISE.uscc, since, until),
            (COLLEGE.uscc, ENTERPRISE.uscc, since, until),
        ],
    }
    return rows[sheet]


def _body(body: Party, kind: str, filing: str, since: str, until: str) -> tuple[str, ...]:
    return (body.uscc, body.name, kind, "浦东新区", filing, since, until, "有效", "")


def _permission(
    school: Party, node: str, project: tuple[str, str, str], levels: str, since: str
) -> tuple[str, ...]:
    return (school.uscc, "职业技能等级认定", node, *project, levels, since, "")
