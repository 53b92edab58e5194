"""Lists on their way out, as CSV or a workbook: every cell stays text, no formula comes alive."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from importers.written import stream_sheet, to_bytes
from school_portal.services.exporting import text_cell

_ALIVE = ("=", "+", "-", "@", "\t", "\r", "\n")  # what a spreadsheet takes for a formula
Rows = Iterable[Sequence[str]]


def as_csv(headers: Sequence[str], rows: Rows) -> bytes:
    """CSV with a byte order mark, as Excel and WPS read it; an apostrophe quiets formulas."""
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(headers)
    for row in rows:
        writer.writerow(f"'{text}" if text.startswith(_ALIVE) else text for text in row)
    return out.getvalue().encode("utf-8-sig")


def as_workbook(sheets: Iterable[tuple[str, Sequence[tuple[str, int]], Rows]]) -> bytes:
    """A workbook (xlsx): of each sheet the title, its headings with their widths, its rows."""
    book = Workbook(write_only=True)
    for title, headers, rows in sheets:
        sheet = stream_sheet(book, title, [width for _, width in headers])
        sheet.print_title_rows = "1:1"
        sheet.append([text_cell(sheet, name, bold=True, boxed=True) for name, _ in headers])
        for row in rows:
            sheet.append(
                [text_cell(sheet, ILLEGAL_CHARACTERS_RE.sub("", text), boxed=True) for text in row]
            )
    return to_bytes(book)
