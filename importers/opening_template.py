"""The opening-data workbook to be filled in."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter

from importers.opening_sheets import SHEETS

_HEAD = PatternFill("solid", fgColor="DCE6F1")
_PREPARED_ROWS = 300


def opening_template() -> bytes:
    """The workbook as xlsx bytes: one sheet each, header in row 1, every column text."""
    book = Workbook()
    del book["Sheet"]
    for name, columns in SHEETS.items():
        sheet: Any = book.create_sheet(name)
        for place, column in enumerate(columns, 1):
            cell = sheet.cell(1, place, column.name)
            cell.font, cell.fill = Font(bold=True), _HEAD
            if column.example:
                cell.comment = Comment(f"例如：{column.example}", "模板")
            letter = get_column_letter(place)
            sheet.column_dimensions[letter].width = max(12, 2.4 * len(column.name))
            for row in range(2, _PREPARED_ROWS + 2):
                sheet.cell(row, place).number_format = "@"
        sheet.freeze_panes = "A2"
    content = BytesIO()
    book.save(content)
    return content.getvalue()
