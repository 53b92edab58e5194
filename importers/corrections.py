"""The uploaded workbook back, wrong cells red with a comment, reasons in a column at the right."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from importers.cells import STRANGE, Value, text_of
from importers.limits import Limits, Refused
from importers.roster_fields import HEADER_DEPTH, find_header
from importers.workbook import Book, open_book
from school_portal.domain.violations import Issue

REASONS = "检查结果"
AUTHOR = "名册检查"
FALLBACK_SHEET = "名册"
TEXT = "@"
_RED = PatternFill("solid", fgColor="FFC7CE")
_DARK_RED = Font(color="9C0006")
_LONGEST_SHEET_NAME = 31


def annotated(data: bytes, sheet: str | None, issues: Sequence[Issue], limits: Limits) -> bytes:
    """The file as xlsx: every visible sheet's values as text, at the places they had.

    A file that cannot be read comes back as a workbook that says why. What an earlier check wrote
    is not copied, so annotations never pile up.
    """
    book = Workbook()
    del book["Sheet"]
    try:
        source = open_book(data, limits)
        wanted = _marked_sheet(source, sheet)
        for one in source.sheets:
            if one.hidden:
                continue
            target: Any = book.create_sheet((one.name or FALLBACK_SHEET)[:_LONGEST_SHEET_NAME])
            rows = list(one.rows())
            _copy(target, rows)
            if one.name == wanted:
                header = find_header(rows[: HEADER_DEPTH + 1], one.survey.merged)
                _mark(target, issues, header.columns if header else {}, header.row if header else 1)
    except Refused as refused:
        issues = [refused.issue]
        book = Workbook()
        book["Sheet"].title = FALLBACK_SHEET
    if not book.sheetnames:
        book.create_sheet(FALLBACK_SHEET)
    _tell_file_issues(book, issues)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _marked_sheet(source: Book, sheet: str | None) -> str | None:
    """The sheet that was read, or the one that looks most like a roster."""
    if sheet is not None:
        return sheet
    found = [
        (len(header.columns), one.name)
        for one in source.sheets
        if not one.hidden
        and (header := find_header(list(islice(one.rows(), HEADER_DEPTH + 1)), one.survey.merged))
    ]
    return max(found, default=(0, None), key=lambda pair: pair[0])[1]


def _copy(target: Any, rows: Iterable[tuple[int, list[Value]]]) -> None:
    widest: dict[int, int] = defaultdict(int)
    for number, values in rows:
        for column, value in enumerate(values, 1):
            text = STRANGE.sub("\ufffd", text_of(value))
            if not text or text == REASONS:
                continue
            cell = target.cell(number, column)
            # Text stays text, whatever it begins with: no formula comes alive.
            cell.value, cell.data_type, cell.number_format = text, "s", TEXT
            widest[column] = min(40, max(widest[column], 2 * len(text)))
    for column, width in widest.items():
        target.column_dimensions[get_column_letter(column)].width = max(8, width)


def _mark(target: Any, issues: Iterable[Issue], columns: dict[str, int], header_row: int) -> None:
    by_row: dict[int, list[Issue]] = defaultdict(list)
    for found in issues:
        if found.row is not None:
            by_row[found.row].append(found)
    last = max((target.max_column, *(place + 1 for place in columns.values())))
    reasons_column = last + 1
    if not by_row:
        return
    head = target.cell(header_row, reasons_column)
    head.value, head.font = REASONS, Font(bold=True)
    target.column_dimensions[get_column_letter(reasons_column)].width = 60
    for row, found_here in by_row.items():
        by_column: dict[int, list[str]] = defaultdict(list)
        for found in found_here:
            place = columns.get(found.column or "")
            by_column[place + 1 if place is not None else reasons_column].append(found.message)
        for column, messages in by_column.items():
            cell = target.cell(row, column)
            cell.fill, cell.font = _RED, _DARK_RED
            cell.comment = Comment("\n".join(messages), AUTHOR, height=90, width=320)
        reasons = target.cell(row, reasons_column)
        reasons.value = "\n".join(found.message for found in found_here)
        reasons.data_type = "s"
        reasons.alignment = Alignment(wrap_text=True, vertical="top")


def _tell_file_issues(book: Workbook, issues: Iterable[Issue]) -> None:
    messages = [found.message for found in issues if found.row is None]
    if not messages:
        return
    sheet: Any = book.create_sheet(REASONS, 0)
    sheet.column_dimensions["A"].width = 100
    for message in messages:
        sheet.append([message])
        cell = sheet.cell(sheet.max_row, 1)
        cell.data_type, cell.font = "s", _DARK_RED
        cell.alignment = Alignment(wrap_text=True)
