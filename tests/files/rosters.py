"""Rosters of a few students in every format, cell by cell as the test wants them."""

import csv
import io
from collections.abc import Sequence
from datetime import date
from typing import Any

import xlwt
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P
from openpyxl import Workbook

from importers.lookups import Context
from school_portal.domain.levels import TrainingLevel
from school_portal.domain.projects import Occupation

HEADS = ("学号", "姓名", "证件号码", "手机号码", "专业名称", "毕业年月")
TODAY = date(2026, 10, 15)
BODY = "91310000MA1FL0001R"
CONTEXT = Context(
    specialties=(
        ("710201", "计算机应用", TrainingLevel.SECONDARY),
        ("660301", "机电一体化技术", TrainingLevel.SECONDARY),
        ("660301", "机电一体化技术", TrainingLevel.HIGHER),
        ("740201", "烹饪", TrainingLevel.SECONDARY),
        ("540201", "烹饪", TrainingLevel.HIGHER),
    ),
    occupations=(
        Occupation("4-03-02-10", "调饮师"),
        Occupation("4-09-07-04", "碳排放管理员"),
        Occupation("4-09-07-04", "碳排放管理员", "碳排放监测员"),
        Occupation("4-08-05-06", "计量员", "热工计量员"),
    ),
    bodies=((BODY, "示例社评组织"),),
    today=TODAY,
)

Cells = Sequence[Sequence[Any]]


def number(serial: int, born: str = "20080102", region: str = "310104") -> str:
    """A resident ID with its right check character; odd serials are men's."""
    head = f"{region}{born}{serial:03d}"
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(head))
    return head + "10X98765432"[total % 11]


def student(serial: int = 1, **changed: Any) -> dict[str, Any]:
    """A right row by header; changes come by header too."""
    row: dict[str, Any] = {
        "学号": f"2024{serial:04d}",
        "姓名": f"示例{serial}",
        "证件号码": number(serial % 1000, region=str(310104 + serial // 1000)),
        "手机号码": f"138{serial:08d}",
        "专业名称": "计算机应用",
        "毕业年月": "2027-06",
    }
    return row | changed


def table(*students: dict[str, Any]) -> list[list[Any]]:
    """Header and rows, with every column that any row has."""
    heads = list(dict.fromkeys(head for row in students for head in row)) or list(HEADS)
    return [heads, *([row.get(head, "") for head in heads] for row in students)]


def xlsx(*sheets: Cells | tuple[str, Cells]) -> bytes:
    """A workbook of those sheets, each cells alone or (name, cells)."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for place, sheet in enumerate(sheets, 1):
        name, cells = sheet if isinstance(sheet, tuple) else (f"Sheet{place}", sheet)
        fill(book.create_sheet(name), cells)
    return saved(book)


def fill(sheet: Any, cells: Cells) -> None:
    """Writes the cells from A1 on; empty ones are left out."""
    for row, values in enumerate(cells, 1):
        for column, value in enumerate(values, 1):
            if value not in ("", None):
                sheet.cell(row, column).value = value


def saved(book: Workbook) -> bytes:
    """The workbook's bytes."""
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def xls(cells: Cells, *, dates_1904: bool = False, name: str = "名册") -> bytes:
    """An Excel 97 workbook; dates as date cells."""
    book = xlwt.Workbook()
    book.dates_1904 = dates_1904
    sheet = book.add_sheet(name)
    day = xlwt.easyxf(num_format_str="yyyy-mm-dd")
    for row, values in enumerate(cells):
        for column, value in enumerate(values):
            if value != "":
                sheet.write(row, column, value, *([day] if isinstance(value, date) else []))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def ods(cells: Cells, *, name: str = "名册") -> bytes:
    """An OpenDocument workbook; every cell text, numbers as numbers."""
    document = OpenDocumentSpreadsheet()
    sheet = Table(name=name)
    for values in cells:
        row = TableRow()
        for value in values:
            row.addElement(_ods_cell(value))
        sheet.addElement(row)
    document.spreadsheet.addElement(sheet)
    out = io.BytesIO()
    document.write(out)
    return out.getvalue()


def _ods_cell(value: Any) -> TableCell:
    if value == "":
        return TableCell()
    if isinstance(value, int | float):
        return TableCell(valuetype="float", value=value)
    if isinstance(value, date):
        return TableCell(valuetype="date", datevalue=value.isoformat())
    cell = TableCell(valuetype="string")
    cell.addElement(P(text=value))
    return cell


def text(cells: Cells, encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    """A text table."""
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows(cells)
    return out.getvalue().encode(encoding)
