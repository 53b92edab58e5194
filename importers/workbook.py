"""One way to read every format: sheets of rows, numbered as the spreadsheet program shows them."""

import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from importers.cells import Unusable, Value, text_of
from importers.guard import Inspected, inspect
from importers.limits import Limits, Refused
from importers.survey import Area, SheetSurvey
from importers.text_table import TextTable

# Row number and its values from column A on; short rows are not filled up.
Row = tuple[int, list[Value]]

_TEXT_SHEET = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet; its rows are read when asked for."""

    name: str
    hidden: bool
    survey: SheetSurvey
    rows: Callable[[], Iterator[Row]]
    height: Callable[[], int]
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class Book:
    """A file's sheets in its own order."""

    sheets: list[Sheet] = field(default_factory=list)
    is_xlsx: bool = False


def open_book(data: bytes, limits: Limits) -> Book:
    """Inspects the file, then opens it; raises Refused."""
    inspected = inspect(data, limits)
    if inspected.text is not None:
        return Book([_text_sheet(inspected.text)])
    with _parsing():
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
    sheets = list(_sheets(workbook, inspected))
    if not sheets:
        raise Refused.because("file.unreadable", "没有工作表")
    return Book(sheets, inspected.is_xlsx)


@contextmanager
def _parsing(damage: str = "") -> Iterator[None]:
    """What calamine raises, as a refusal."""
    try:
        yield
    except PasswordError as error:
        raise Refused.because("file.encrypted") from error
    except (CalamineError, OSError, ValueError) as error:
        raise Refused.because("file.unreadable", damage) from error
    except BaseException as error:
        # A panic of the Rust code is no Exception to Python, and its class has no public name.
        if type(error).__name__ != "PanicException":
            raise
        raise Refused.because("file.unreadable", damage) from error


def _text_sheet(table: TextTable) -> Sheet:
    def rows() -> Iterator[Row]:
        yield from enumerate(map(list[Value], table.records()), 1)

    return Sheet(_TEXT_SHEET, False, SheetSurvey(), rows, lambda: table.rows, is_text=True)


def _sheets(workbook: CalamineWorkbook, inspected: Inspected) -> Iterator[Sheet]:
    survey = inspected.survey
    for place, metadata in enumerate(workbook.sheets_metadata):
        if metadata.typ is not SheetTypeEnum.WorkSheet:
            continue
        found = survey.find(place, metadata.name) if survey else SheetSurvey()
        hidden = metadata.visible is not SheetVisibleEnum.Visible
        reader = _Reader(workbook, metadata.name, found)
        yield Sheet(metadata.name, hidden, found, reader.rows, reader.height)


class _Reader:
    """Rows of one calamine sheet, the survey's cells laid over them."""

    def __init__(self, workbook: CalamineWorkbook, name: str, survey: SheetSurvey) -> None:
        self._workbook, self._name, self._survey = workbook, name, survey

    def height(self) -> int:
        """The number of the last row."""
        return self._survey.last_row

    @cached_property
    def _sheet(self) -> CalamineSheet:
        with _parsing(f"工作表“{self._name}”已损坏"):
            return self._workbook.get_sheet_by_name(self._name)

    def rows(self) -> Iterator[Row]:
        """Raises Refused where the sheet cannot be read."""
        sheet = self._sheet
        start = sheet.start
        marks = dict(self._survey.unusable)
        number = 0
        if start is not None:
            # Rows come from the first on, columns from the first that is used.
            padding: list[Value] = [""] * start[1]
            rows: Iterator[list[Any]] = sheet.iter_rows()
            for number, values in enumerate(rows, 1):
                row = padding + values if padding else values
                cells = marks.pop(number, None)
                yield number, _overlaid(row, cells) if cells else row
        # Formulas without values below everything that has one.
        for below in sorted(marks):
            if below > number:
                yield below, _overlaid([], marks[below])


def _overlaid(values: list[Value], cells: dict[int, Unusable]) -> list[Value]:
    width = max(len(values), *cells)
    row = [*values, *[""] * (width - len(values))]
    for column, value in cells.items():
        row[column - 1] = value
    return row


class FillDown:
    """Gives the later rows of vertically merged ranges the value that the first row holds."""

    def __init__(self, merged: Iterable[Area]) -> None:
        self._starting: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for top, left, bottom, _ in merged:
            self._starting[top].append((left - 1, bottom))
        self._open: dict[int, tuple[int, Value]] = {}

    def fill(self, row: int, values: list[Value]) -> list[Value]:
        """The row's values with the merged ones; rows are to come in their order."""
        if not self._starting and not self._open:
            return values
        filled = values
        for column, (bottom, value) in list(self._open.items()):
            if row > bottom:
                del self._open[column]
            elif column >= len(filled) or not text_of(filled[column]):
                filled = [*filled, *[""] * (column + 1 - len(filled))]
                filled[column] = value
        for column, bottom in self._starting.pop(row, ()):
            if column < len(values):
                self._open[column] = (bottom, values[column])
        return filled
