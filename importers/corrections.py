"""The uploaded roster back as a workbook: wrong cells red, commented, the reasons at the right."""

import io
import logging
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.comments import Comment
from openpyxl.comments.comment_sheet import CommentRecord
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from importers.cells import Value, text_of
from importers.limits import Limits
from importers.roster_fields import HEADER_DEPTH, find_header
from importers.row_xml import RowXml, plain
from importers.sheets import Book, Sheet
from importers.workbook import open_book
from importers.written import stream_sheet, to_bytes
from school_portal.domain.plain_text import plain as plain_text
from school_portal.domain.violations import Issue

_log = logging.getLogger(__name__)

AUTHOR = "名册校验"
REASONS_HEAD = "校验结果"
NOTES_SHEET = "校验说明"
_RED = PatternFill("solid", fgColor="FFFFC7CE")
_RED_TEXT = Font(color="FF9C0006")
_UNNAMED = "名册"
_NO_TITLE = re.compile("[\\\\*?:/\\[\\]\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_LONGEST_TITLE = 31
# Editing in place keeps every sheet and its looks, and costs some hundred bytes a cell.
_MOST_CELLS_IN_PLACE = 400_000


@dataclass(frozen=True, slots=True)
class _Marks:
    """What to write where: messages by cell, by row, and for the file."""

    header_row: int
    reasons_column: int
    cells: dict[tuple[int, int], list[str]] = field(default_factory=lambda: defaultdict(list))
    rows: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    notes: list[str] = field(default_factory=list)


def annotated(data: bytes, name: str | None, issues: Iterable[Issue], limits: Limits) -> bytes:
    """The workbook as xlsx bytes; earlier marks of ours are replaced, formulas become values.

    `name` is the sheet that was read. xlsx keeps its sheets; other formats, and very large files,
    come as a new workbook with the same rows. Raises Refused for a file that cannot be read.
    """
    book = open_book(data, limits)
    named = [sheet for sheet in book.sheets if sheet.name == name]
    readable = (sheet for sheet in book.sheets if not sheet.survey.refusal)
    chosen = named[0] if named else next(readable, book.sheets[0])
    marks = _marks(chosen, issues)
    chosen.require_readable()
    workbook = _edited(book, chosen, marks)
    return to_bytes(workbook) if workbook else _rebuilt(book, chosen, marks)


def _marks(sheet: Sheet, issues: Iterable[Issue]) -> _Marks:
    head = sheet.top(HEADER_DEPTH + 1)
    header = find_header(head, sheet.survey.merged)
    columns = header.columns if header else {}
    names = next((values for number, values in head if header and number == header.row), [])
    texts = [text_of(value) for value in names]
    used = max([sheet.survey.last_column, *(len(values) for _, values in head)])
    column = texts.index(REASONS_HEAD) + 1 if REASONS_HEAD in texts else used + 1
    marks = _Marks(header.row if header else 1, column)
    for one in issues:
        message = plain_text(one.message)
        if one.row is None:
            marks.notes.append(message)
            continue
        marks.rows[one.row].append(message)
        # A remark is told beside its row; its cell is not wrong.
        if one.column in columns and one.severity == "error":
            marks.cells[one.row, columns[one.column] + 1].append(message)
    return marks


def _edited(book: Book, chosen: Sheet, marks: _Marks) -> Workbook | None:
    """The workbook itself, edited; None where it is no xlsx, too large, or beyond openpyxl."""
    if not book.xlsx or sum(sheet.survey.burden for sheet in book.sheets) > _MOST_CELLS_IN_PLACE:
        return None
    try:
        workbook = load_workbook(io.BytesIO(book.xlsx), data_only=True)
        sheet = workbook[chosen.name]
    except Exception as error:  # whatever openpyxl's parts raise
        _log.warning("rebuilding a workbook that openpyxl cannot open: %s", type(error).__name__)
        return None
    _forget(sheet, marks, chosen.height())
    for (row, column), messages in marks.cells.items():
        _redden(_anchor(sheet, row, column), messages)
    _write(sheet.cell(marks.header_row, marks.reasons_column), REASONS_HEAD)
    for row, messages in marks.rows.items():
        _write(sheet.cell(row, marks.reasons_column), "\n".join(messages))
    sheet.column_dimensions[get_column_letter(marks.reasons_column)].width = 60
    if NOTES_SHEET in workbook:
        del workbook[NOTES_SHEET]
    if marks.notes:
        _write_notes(workbook.create_sheet(NOTES_SHEET, 0), marks.notes)
    return workbook


def _forget(sheet: Worksheet, marks: _Marks, last_row: int) -> None:
    """Takes earlier marks away, which a corrected workbook brings back with it."""
    # Only as far as the content goes: a cell that is merely styled may be the last of all.
    for row in sheet.iter_rows(max_row=last_row, max_col=marks.reasons_column):
        for cell in row:
            if isinstance(cell, MergedCell):
                continue
            if cell.comment and cell.comment.author == AUTHOR:
                cell.comment = None
                cell.fill = PatternFill()
                cell.font = Font()
            if cell.column == marks.reasons_column:
                cell.value = None


def _anchor(sheet: Worksheet, row: int, column: int) -> Cell:
    cell = sheet.cell(row, column)
    if isinstance(cell, MergedCell):
        area = next(area for area in sheet.merged_cells.ranges if cell.coordinate in area)
        cell = sheet.cell(area.min_row, area.min_col)
    return cell  # type: ignore[return-value]


def _redden(cell: Cell, messages: list[str]) -> None:
    cell.fill = _RED
    cell.font = _RED_TEXT
    cell.comment = _told(messages)


def _told(messages: list[str]) -> Comment:
    return Comment("\n".join(messages), AUTHOR, height=90, width=280)


def _rebuilt(book: Book, chosen: Sheet, marks: _Marks) -> bytes:
    workbook = Workbook(write_only=True)
    kept = [sheet for sheet in book.sheets if sheet.name != NOTES_SHEET]
    notes = [*marks.notes, *map(_told_missing, kept)]
    if any(notes):
        _write_notes(stream_sheet(workbook, NOTES_SHEET), [note for note in notes if note])
    rows: dict[str, bytes] = {}
    for sheet in kept:
        if sheet.survey.refusal:
            continue
        name = _NO_TITLE.sub("_", sheet.name)[:_LONGEST_TITLE] or _UNNAMED
        target = stream_sheet(workbook, name)
        target.sheet_state = "hidden" if sheet.hidden else "visible"
        rows[target.title] = _marked(sheet, target, marks) if sheet is chosen else _copied(sheet)
    return to_bytes(workbook, rows)


def _told_missing(sheet: Sheet) -> str:
    return f"工作表“{sheet.name}”未能读取，没有带回。" if sheet.survey.refusal else ""


def _copied(sheet: Sheet) -> bytes:
    out = RowXml()
    for number, values in sheet.rows():
        out.add(number, [(column, value, 0) for column, value in enumerate(values, 1)])
    return out.content()


def _marked(sheet: Sheet, target: Any, marks: _Marks) -> bytes:
    """As `_copied`, with the marks; earlier reasons give way."""
    out, red, width = RowXml(), _red(target), marks.reasons_column
    wrong: dict[int, set[int]] = defaultdict(set)
    for (row, column), messages in marks.cells.items():
        wrong[row].add(column)
        _comment(target, row, column, messages)
    for number, values in sheet.rows():
        cells = [(column, value, 0) for column, value in enumerate(values, 1) if column != width]
        for column in wrong.get(number, ()):
            value = values[column - 1] if column <= len(values) else ""
            cells = [cell for cell in cells if cell[0] != column]
            cells.append((column, value, red))
        head = REASONS_HEAD if number == marks.header_row else ""
        cells.append((width, head or "\n".join(marks.rows.get(number, ())), 0))
        out.add(number, sorted(cells, key=itemgetter(0)))
    return out.content()


def _red(sheet: Any) -> int:
    """The number under which the sheet's workbook knows the look of a wrong cell."""
    cell: Cell = WriteOnlyCell(sheet)
    cell.fill, cell.font = _RED, _RED_TEXT
    return cell.style_id


def _comment(sheet: Any, row: int, column: int, messages: list[str]) -> None:
    cell: Any = WriteOnlyCell(sheet)
    cell.row, cell.column = row, column
    cell.comment = _told(messages)
    sheet._comments.append(CommentRecord.from_cell(cell))


def _write(cell: Cell | MergedCell, value: Value) -> None:
    """What begins with `=` is text too."""
    cell.value = plain(value)
    if isinstance(cell.value, str):
        cell.data_type = "s"


def _write_notes(sheet: Any, notes: list[str]) -> None:
    sheet.append(["以下是对整个文件的说明，逐行的结果见名册最右边的一列。"])
    for note in notes:
        sheet.append([note])
