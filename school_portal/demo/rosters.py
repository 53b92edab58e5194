"""The sample rosters: workbooks as schools write them, with mistakes, and students left out."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Font

from school_portal.demo.operation import CAMPUS, ENTERPRISE, SOCIAL
from school_portal.domain.identifiers import Document, DocumentType, read_document
from school_portal.domain.windows import academic_year

HEADERS = (
    *("学号", "姓名", "性别", "身份证号码", "手机", "专业代码", "专业", "班级", "毕业年月"),
    *("学籍状态", "学习形式", "职业", "工种", "等级", "评价机构", "备注"),
)
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_GIVEN = (
    *("子涵", "欣怡", "浩然", "雨桐", "宇轩", "思远", "诗雨", "俊杰"),
    *("梦琪", "嘉豪", "佳怡", "明轩", "晓彤", "文博", "雅婷", "天佑"),
)
COOKING = {"专业代码": "740201", "专业": "中餐烹饪", "班级": "烹饪2401"}
NURSING = {"专业代码": "720101", "专业": "护理", "班级": "护理2402"}
PHARMACY = {"专业代码": "490201", "专业": "药学", "班级": "药学2403"}
MAKING = {"专业代码": "690206", "专业": "制药技术应用", "班级": "制药2404"}


@dataclass(slots=True)
class Writer:
    """Rows of invented students, well-formed unless a cell is given; the same for the same day.

    Each prefix has persons of its own: nobody is at two schools.
    """

    today: date
    prefix: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.prefix)  # noqa: S311

    def add(self, count: int = 1, **cells: Any) -> None:
        """So many more students with those cells."""
        for _ in range(count):
            self.rows.append({**self._student(len(self.rows) + 1), **cells})

    def _student(self, number: int) -> dict[str, Any]:
        document = resident_id(self.today, self.chance.randrange(400), number)
        return {
            "学号": f"{self.prefix}{number:04d}",
            "姓名": self.chance.choice(_SURNAMES) + self.chance.choice(_GIVEN),
            "性别": document.sex.label if document.sex else "",
            "身份证号码": document.number,
            "手机": f"13{self.chance.randrange(10**9):09d}",
            "毕业年月": f"{academic_year(self.today)[1].year}-06",
        }


def resident_id(today: date, days: int, number: int) -> Document:
    """A well-formed resident ID of nobody, of somebody about eighteen."""
    born = today.replace(day=1) - timedelta(days=18 * 365 + days)
    return next(_well_formed(today, f"310101{born:%Y%m%d}{number:03d}"))


def _well_formed(today: date, body: str) -> Iterator[Document]:
    for last in "0123456789X":
        read = read_document(DocumentType.RESIDENT_ID, body + last, today)
        if isinstance(read, Document):
            yield read


def secondary_roster(today: date) -> bytes:
    """Sixty students: most of them eligible, some left out by a rule, five rows wrong."""
    writer = Writer(today, "24010")
    next_year = f"{academic_year(today)[1].year + 1}-06"
    nurse = {**NURSING, "职业": "医疗护理员", "等级": "四级"}
    writer.add(28, **COOKING)
    writer.add(11, **nurse, 评价机构=SOCIAL.name)
    writer.add(8, **nurse, 评价机构=ENTERPRISE.name)
    writer.add(2, **nurse, 备注="评价机构待定")
    writer.add(3, **{**COOKING, "毕业年月": next_year})
    writer.add(1, **COOKING, 学籍状态="休学")
    writer.add(1, **COOKING, 学习形式="非全日制")
    writer.add(1, **COOKING, 职业="调饮师", 等级="三级")
    first = writer.rows[0]
    writer.add(1, **COOKING, 手机="1381234567")
    writer.add(1, **COOKING, 身份证号码=_with_wrong_end(writer.rows[1]["身份证号码"]))
    writer.add(1, **COOKING, 身份证号码=int(writer.rows[2]["身份证号码"][:17] + "0"))
    writer.add(1, **{**COOKING, "专业代码": "740999", "专业": "西餐烹饪"})
    writer.add(1, **{**COOKING, "身份证号码": first["身份证号码"], "性别": first["性别"]})
    return _workbook("示例中等职业学校毕业学年学生名册", writer.rows)


def college_roster(today: date) -> bytes:
    """Twenty-four students of both training levels, for trying the pages; one row is wrong."""
    writer = Writer(today, "24020")
    writer.add(14, **PHARMACY, 评价机构=CAMPUS.name)
    writer.add(8, **MAKING, 评价机构=ENTERPRISE.name)
    writer.add(1, **PHARMACY, 备注="评价机构待定")
    writer.add(1, **PHARMACY, 手机="1391234567")
    return _workbook("示例职业技术学院毕业学年学生名册", writer.rows)


def _with_wrong_end(number: str) -> str:
    return number[:-1] + ("1" if number[-1] != "1" else "2")


def _workbook(title: str, rows: list[dict[str, Any]]) -> bytes:
    """A title over two rows, the header in row 3, a remark below; document numbers as text."""
    book = Workbook()
    sheet: Any = book.active
    sheet.title = "名册"
    sheet.append([title])
    sheet.append(["（示例数据，均为虚构）"])
    sheet.append(list(HEADERS))
    sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=len(HEADERS))
    sheet["A1"].font = Font(bold=True, size=14)
    for row in rows:
        sheet.append([row.get(header) for header in HEADERS])
    sheet.append([])
    sheet.append(["制表人：示例教师"])
    for letter, width in (("A", 12), ("B", 10), ("D", 22), ("E", 14), ("G", 16), ("O", 24)):
        sheet.column_dimensions[letter].width = width
    content = BytesIO()
    book.save(content)
    return content.getvalue()
