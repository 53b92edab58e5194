"""One sheet of an ods, read as the parser goes by; empty repeated cells and rows cost nothing."""

import re
from collections.abc import Iterator
from datetime import date, datetime

from importers.cells import Unusable, Value, text_of
from importers.limits import Limits
from importers.sheets import Row
from importers.survey import FAR_CELL, Area, SheetSurvey

TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0 "
OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0 "
_TEXT = "urn:oasis:names:tc:opendocument:xmlns:text:1.0 "
_CALC = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0 value-type"
_ROW = TABLE + "table-row"
_CELLS = frozenset({TABLE + "table-cell", TABLE + "covered-table-cell"})
# Beside the text of a cell, and none of it.
_ASIDE = frozenset({_TEXT + "ruby-text", _TEXT + "note"})
_BREAKS = {_TEXT + "line-break": "\n", _TEXT + "tab": "\t"}
_BLANKS = re.compile(r"[ \t\r\n]+")
_LONGEST_GAP = 1000
# Of a sheet that cannot be read, enough to see whether it is the roster.
_TOP_ROWS = 100


class SheetReader:
    """Keeps the rows that hold something, of the table with this number among the sheets."""

    def __init__(self, place: int, limits: Limits) -> None:
        self._before = place
        self._limits = limits
        self._survey = SheetSurvey()
        self._merged: list[Area] = []
        self._rows: list[tuple[int, int, list[Value]]] = []
        self._filled_rows = 0
        self._is_inside = False
        self._row = self._next_row = self._column = 1
        self._hidden = False
        self._values: list[Value] = []
        self._cell: dict[str, str] | None = None
        self._texts: list[str] = []
        self._paragraphs = self._aside = 0
        self.is_done = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        if self._cell is not None:
            self._start_text(tag, attributes)
        elif tag in _CELLS and self._is_inside:
            self._cell = attributes
        elif tag == _ROW and self._is_inside:
            self._start_row(attributes)
        elif tag == TABLE + "table" and not self.is_done:
            self._is_inside = self._before == 0
            self._before -= 1

    def _start_row(self, attributes: dict[str, str]) -> None:
        self._row = self._next_row
        self._next_row += _count(attributes, "number-rows-repeated")
        self._column = 1
        self._hidden = attributes.get(TABLE + "visibility") in ("collapse", "filter")
        self._values = []

    def _start_text(self, tag: str, attributes: dict[str, str]) -> None:
        if self._aside or tag in _ASIDE or not tag.startswith(_TEXT):
            self._aside += 1
        elif tag == _TEXT + "p":
            if self._paragraphs:
                self._texts.append("\n")
            self._paragraphs += 1
        elif tag == _TEXT + "s":
            count = int(attributes.get(_TEXT + "c", "1"))
            self._texts.append(" " * min(count, _LONGEST_GAP))
        elif tag in _BREAKS:
            self._texts.append(_BREAKS[tag])

    def text(self, text: str) -> None:
        """A piece of an element's text."""
        if self._paragraphs and not self._aside:
            self._texts.append(_BLANKS.sub(" ", text))

    def end(self, tag: str) -> None:
        """An element ends."""
        if self._aside:
            self._aside -= 1
        elif self._cell is not None:
            if tag in _CELLS:
                self._end_cell(self._cell)
        elif not self._is_inside:
            return
        elif tag == _ROW:
            self._end_row()
        elif tag == TABLE + "table":
            self._finish()

    def _end_cell(self, attributes: dict[str, str]) -> None:
        column, self._cell = self._column, None
        count = _count(attributes, "number-columns-repeated") if attributes else 1
        self._column += count
        if not attributes and not self._texts:
            return
        value = _value(attributes, "".join(self._texts))
        self._texts.clear()
        self._paragraphs = 0
        rows = _count(attributes, "number-rows-spanned")
        if rows > 1:
            right = column + _count(attributes, "number-columns-spanned") - 1
            self._merged.append((self._row, column, self._row + rows - 1, right))
        if value == "" or (isinstance(value, str) and not text_of(value)):
            return
        if self._column - 1 > self._limits.columns:
            if not isinstance(value, Unusable):
                self._survey.refuse("file.unsafe", FAR_CELL)
            return
        self._values += [""] * (column - 1 - len(self._values))
        self._values += [value] * count

    def _end_row(self) -> None:
        values = self._values
        if not values:
            return
        repeated = self._next_row - self._row
        if all(value == "" or isinstance(value, Unusable) for value in values):
            # Prepared formulas fill no row; how far down they go says nothing.
            repeated = min(repeated, max(self._limits.rows + 1 - self._row, 0))
        else:
            self._filled_rows += repeated
            self._survey.reach(self._row + repeated - 1, len(values))
            if self._hidden:
                last = min(self._row + repeated, self._limits.rows + 1)
                self._survey.hidden_rows.update(range(self._row, last))
        self._rows.append((self._row, repeated, values))
        self._survey.judge(self._filled_rows, self._limits)
        if self._survey.refusal and len(self._rows) >= _TOP_ROWS:
            self._finish()

    def _finish(self) -> None:
        self._is_inside = False
        self.is_done = True

    def finished(self) -> SheetSurvey:
        """What was seen of the sheet."""
        self._survey.merge(self._merged)
        return self._survey

    def rows(self) -> Iterator[Row]:
        """The rows from the first on, blank ones between them too."""
        following = 1
        for first, repeated, values in self._rows:
            for blank in range(following, first):
                yield blank, []
            for number in range(first, first + repeated):
                yield number, list(values)
            following = first + repeated


def _value(attributes: dict[str, str], text: str) -> Value:
    get = attributes.get
    if get(_CALC) == "error":
        return Unusable(text_of(text))
    if (number := get(OFFICE + "value")) is not None:
        return float(number)
    if (day := get(OFFICE + "date-value")) is not None:
        return _day(day)
    if (answer := get(OFFICE + "boolean-value")) is not None:
        return answer.lower() == "true"
    if text := get(OFFICE + "string-value") or text or get(OFFICE + "time-value", ""):
        return text
    is_empty_text = get(OFFICE + "value-type") is not None
    return Unusable() if get(TABLE + "formula") is not None and not is_empty_text else ""


def _day(text: str) -> Value:
    try:
        return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
    except ValueError:
        return text


def _count(attributes: dict[str, str], name: str) -> int:
    return max(int(attributes.get(TABLE + name, "1")), 1)
