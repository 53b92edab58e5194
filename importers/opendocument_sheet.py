"""One sheet of an ods, read as the parser goes by; empty repeated cells and rows cost nothing."""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime

from importers.cells import Unusable, Value, text_of
from importers.limits import Limits, Refused
from importers.sheets import Content, Row
from importers.survey import FAR_CELL, Area, SheetSurvey

TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0 "
_OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0 "
_TEXT = "urn:oasis:names:tc:opendocument:xmlns:text:1.0 "
_CALC = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0 value-type"
_ROW = TABLE + "table-row"
_CELL, _COVERED = TABLE + "table-cell", TABLE + "covered-table-cell"
_ROWS_REPEATED, _COLUMNS_REPEATED = (
    TABLE + "number-rows-repeated",
    TABLE + "number-columns-repeated",
)
_ROWS_SPANNED, _COLUMNS_SPANNED = TABLE + "number-rows-spanned", TABLE + "number-columns-spanned"
_FORMULA, _TYPE = TABLE + "formula", _OFFICE + "value-type"
_LINKS = frozenset({TABLE + "table-source", TABLE + "cell-range-source", _OFFICE + "dde-source"})
_OUTSIDE = re.compile(r"'(?:file|https?|ftp|smb):", re.IGNORECASE)
_PARAGRAPH, _SPACES = _TEXT + "p", _TEXT + "s"
# Beside the text of a cell, and none of it.
_ASIDE = frozenset({_TEXT + "ruby-text", _TEXT + "note"})
_BREAKS = {_TEXT + "line-break": "\n", _TEXT + "tab": "\t"}
_BLANKS = re.compile(r"[ \t\r\n]+")
_MOST_SPACES = 1000
# Of a sheet that cannot be read, enough to see whether it is the roster.
_TOP_ROWS = 100


def refuse_link(tag: str) -> None:
    """Raises Refused for an element that fetches a table from elsewhere."""
    if tag in _LINKS:
        raise Refused.because("file.unsafe", "含有外部链接")


class SheetReader:
    """Keeps the rows that hold something."""

    def __init__(self, limits: Limits, finish: Callable[[], None]) -> None:
        self._limits = limits
        self._finish = finish
        self._survey = SheetSurvey()
        self._merged: list[Area] = []
        self._rows: list[tuple[int, int, list[Value]]] = []
        self._filled_rows = 0
        self._row = self._next_row = self._column = 1
        self._hidden = False
        self._values: list[Value] = []
        self._cell: dict[str, str] | None = None
        self._texts: list[str] = []
        self._paragraphs = self._aside = 0
        # Most texts of a roster come again and again.
        self._known: dict[str, str] = {}

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        if self._cell is None:
            if tag in (_CELL, _COVERED):
                self._cell = attributes
            elif tag == _ROW:
                self._start_row(attributes)
            else:
                refuse_link(tag)
        elif tag == _PARAGRAPH and not self._aside:
            if self._paragraphs:
                self._texts.append("\n")
            self._paragraphs += 1
        else:
            self._start_inside(tag, attributes)

    def _start_row(self, attributes: dict[str, str]) -> None:
        self._row = self._next_row
        self._next_row += _count(attributes, _ROWS_REPEATED)
        self._column = 1
        self._hidden = attributes.get(TABLE + "visibility") in ("collapse", "filter")
        self._values = []

    def _start_inside(self, tag: str, attributes: dict[str, str]) -> None:
        refuse_link(tag)
        if self._aside or tag in _ASIDE or not tag.startswith(_TEXT):
            self._aside += 1
        elif tag == _SPACES:
            self._texts.append(" " * min(_count(attributes, _TEXT + "c"), _MOST_SPACES))
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
            if tag in (_CELL, _COVERED):
                self._end_cell(self._cell)
        elif tag == _ROW:
            self._end_row()
        elif tag == TABLE + "table":
            self._finish()

    def _end_cell(self, attributes: dict[str, str]) -> None:
        column, self._cell = self._column, None
        count = _count(attributes, _COLUMNS_REPEATED)
        self._column += count
        if not attributes and not self._texts:
            return
        value = self._value(attributes)
        if _ROWS_SPANNED in attributes:
            bottom = self._row + _count(attributes, _ROWS_SPANNED) - 1
            right = column + _count(attributes, _COLUMNS_SPANNED) - 1
            self._merged.append((self._row, column, bottom, right))
        if value == "" or (isinstance(value, str) and not text_of(value)):
            return
        if self._column - 1 > self._limits.columns:
            if not isinstance(value, Unusable):
                self._survey.refuse("file.unsafe", FAR_CELL)
            return
        values = self._values
        values += [""] * (column - 1 - len(values))
        values += [value] * count

    def _value(self, attributes: dict[str, str]) -> Value:
        text = "".join(self._texts)
        self._texts.clear()
        self._paragraphs = 0
        get = attributes.get
        formula = get(_FORMULA)
        if formula and _OUTSIDE.search(formula):
            raise Refused.because("file.unsafe", "含有外部链接")
        if get(_CALC) == "error":
            return Unusable(text_of(text))
        if (number := get(_OFFICE + "value")) is not None:
            return float(number)
        if (day := get(_OFFICE + "date-value")) is not None:
            return _day(day)
        if (answer := get(_OFFICE + "boolean-value")) is not None:
            return answer.lower() == "true"
        if text := get(_OFFICE + "string-value") or text or get(_OFFICE + "time-value", ""):
            return self._known.setdefault(text, text)
        return Unusable() if formula is not None and get(_TYPE) is None else ""

    def _end_row(self) -> None:
        values = self._values
        if not values or (self._survey.refusal and len(self._rows) >= _TOP_ROWS):
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

    def content(self) -> Content:
        """What the sheet holds."""
        self._survey.merge(self._merged)
        return Content(self._survey, self._numbered)

    def _numbered(self) -> Iterator[Row]:
        """The rows from the first on, blank ones between them too."""
        following = 1
        for first, repeated, values in self._rows:
            for blank in range(following, first):
                yield blank, []
            for number in range(first, first + repeated):
                yield number, list(values)
            following = first + repeated


def _day(text: str) -> Value:
    try:
        return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
    except ValueError:
        return text


def _count(attributes: dict[str, str], name: str) -> int:
    number = attributes.get(name)
    return 1 if number is None else max(int(number), 1)
