"""Opening-data workbooks, built sheet by sheet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO

from openpyxl import Workbook, load_workbook

from importers.opening_template import opening_template
from tests.factories.operation import uscc

SCHOOL, COLLEGE, SOCIAL, ENTERPRISE = (uscc(number) for number in (1, 2, 11, 12))

Rows = dict[str, list[Sequence[str]]]


def running() -> Rows:
    """A secondary school, a college with both levels, two bodies, and what they may do."""
    drink = ("4-03-02-10", "调饮师", "")
    own = ("6-99-99-01", "示例操作员", "示例工种")
    return {
        "学校": [
            (SCHOOL, "示例中等职业学校", "黄浦区", "甲", "中职", "KEY@SF1", "2025-09-01"),
            (COLLEGE, "示例职业学院", "徐汇区", "乙", "中职、高职", "", ""),
        ],
        "专业": [
            (SCHOOL, "740201", "中餐烹饪", "中职"),
            (COLLEGE, "540201", "餐饮管理", "中职"),
            (COLLEGE, "540201", "餐饮管理", "高职"),
        ],
        "评价机构": [
            (
                SOCIAL,
                "示例社评组织",
                "社会培训评价组织",
                "黄浦区",
                "S000001",
                "2025-01-01",
                "2027-12-31",
                "有效",
                "",
            ),
            (
                ENTERPRISE,
                "示例企业",
                "企业",
                "徐汇区",
                "Q000001",
                "2025-01-01",
                "2027-12-31",
                "暂停",
                "2026-09-01",
            ),
        ],
        "评价项目": [(SOCIAL, *drink, "5、4、3", ""), (ENTERPRISE, *own, "4", "评价规范")],
        "评估结论": [
            (SCHOOL, "740201", *drink, "4", "2025-11-01", "", ""),
            (COLLEGE, "540201", *drink, "3", "2025-11-01", "", "高职"),
        ],
        "申报权限": [
            (SCHOOL, "职业技能等级认定", "社会评价组织等级认定", *drink, "4", "2025-11-01", ""),
            (COLLEGE, "职业资格鉴定", "", *drink, "3", "2025-11-01", ""),
        ],
        "校企合作": [(SCHOOL, ENTERPRISE, "2025-09-01", "")],
    }


def workbook(rows: Rows, change: Callable[[Workbook], object] = bool) -> BytesIO:
    """The workbook of those rows, all cells text, with whatever else is done to it."""
    book = load_workbook(BytesIO(opening_template()))
    for name, lines in rows.items():
        for number, line in enumerate(lines, 2):
            for place, value in enumerate(line, 1):
                book[name].cell(number, place).value = value or None
    change(book)
    content = BytesIO()
    book.save(content)
    content.seek(0)
    return content
