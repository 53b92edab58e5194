"""One pass over an xlsx sheet's bytes: how far its content goes, what readers leave out."""

import re
from collections.abc import Iterator

from importers.archive import refuse_declaration
from importers.cells import Unusable
from importers.limits import Limits
from importers.survey import FAR_CELL, Area, SheetSurvey

_ROW = b"<row"
_NAME_ENDS = (b" ", b">", b"/", b"\t", b"\r", b"\n")
# One row of 256 cells of 32,767 characters each takes less.
_LONGEST_ROW = 32 << 20
# Every name ends where it ends: `<f` begins a `<family` too.
_ROOT = re.compile(rb"<(?![?!])([\w.-]+:)?[\w.-]+[^>]*>")
_ROW_NUMBER = re.compile(rb"""\sr\s*=\s*["']\s*([0-9]{1,9})""")
_HIDDEN = re.compile(rb"""\shidden\s*=\s*["'](?:1|true|on)["']""")
_CELL = re.compile(rb"<c(?=[\s/>])([^>]*)>")
_CELL_END = re.compile(rb"</c\s*>")
_PLACED_FIRST = re.compile(rb"""<c\s+r=["']([A-Z]{1,3})([0-9]{1,7})["']""")
_PLACE = re.compile(rb"""\sr\s*=\s*["']\s*([A-Za-z]{1,3})([0-9]{1,7})\s*["']""")
_ERROR_TYPE = re.compile(rb"""\st\s*=\s*["']e["']""")
_TEXT_TYPE = re.compile(rb"""\st\s*=\s*["']str["']""")
_FORMULA = re.compile(rb"<f[\s/>]")
_VALUE = re.compile(rb"<v(?:\s[^>]*)?(?:/>|>([^<]*))")
# A value or a text in which there is something; what a formula could not find out is nothing.
_FILLED = re.compile(
    rb"<v(?:\s[^>]*)?(?<!/)>\s*[^<\s#]|<t(?:\s[^>]*)?(?<!/)>\s*[^<\s]",
)
_MERGED = re.compile(
    rb"""<mergeCell\s[^>]*?\bref\s*=\s*["']\$?([A-Z]+)\$?([0-9]+):\$?([A-Z]+)\$?([0-9]+)"""
)
# An error, or a formula behind which no value stands.
_SUSPECT = re.compile(rb"""(?:</f\s*>|<f(?:\s[^>]*)?/>)(?!\s*<v(?:\s[^>]*)?>\s*[^<\s])|["']e["']""")
_HINTS = (b"<f", b'"e"', b"'e'")
# A text that stands where a number does, which calamine passes over.
_INLINE_VALUE = re.compile(rb"""=["']inlineStr["'][^>]*>\s*<v[\s>]""")
# Of a cell's parts calamine keeps the last, whatever it is.
_AFTER_VALUE = re.compile(rb"</(?:v|is)\s*>\s*<(?!/c[\s>])")
# Cells beyond column IV or row 199,999, and cells whose first attribute is not their place.
_FAR = re.compile(
    rb"""r=["'](?:(?:[A-Za-z]{3}|[J-Zj-z][A-Za-z]|[Ii][W-Zw-z])[0-9]"""
    rb"""|[A-Za-z]{1,2}(?:[2-9][0-9]{5}|[0-9]{7}))"""
)
_UNPLACED = re.compile(rb"""<c(?:\s(?!r=["'][A-Z])|[/>])""")


def column_number(letters: bytes) -> int:
    """A is 1, in either case."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


class SheetScan:
    """Reads blocks of whole rows; no tree is built. `is_plain` tells whether all was as usual."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._survey = SheetSurvey()
        self._merged: list[Area] = []
        self._row = self._filled_rows = self._valued_row = self._valued_column = 0
        self._columns: dict[bytes, int] = {}
        self._root: re.Match[bytes] | None = None
        self.is_plain = True

    def scan(self, chunks: Iterator[bytes]) -> SheetSurvey:
        """Raises Refused for declarations; what is far or too much the survey refuses."""
        tail = b""
        for chunk in chunks:
            block = tail + chunk
            if self._root is None:
                self._root = _ROOT.search(block)
            cut = block.rfind(_ROW)
            # What is before the first row is short; without a row start, tags must stay whole.
            cut = max(cut if cut > 0 else block.rfind(b"<"), 0)
            tail = block[cut:]
            if len(tail) > _LONGEST_ROW:
                self._survey.refuse("file.unsafe", "单行内容过大")
                return self._survey
            self._block(block[:cut])
        self._block(tail)
        return self._finish()

    def _block(self, block: bytes) -> None:
        refuse_declaration(block)
        # Comments, CDATA and UTF-16 hide things from a search, and from calamine too.
        if b"<!" in block or b"\0" in block:
            self.is_plain = False
        cells, values = block.count(b"</c>"), block.count(b"</v></c>")
        if cells != values + block.count(b"</is></c>") and _AFTER_VALUE.search(block):
            self.is_plain = False
        if values and _INLINE_VALUE.search(block):
            self.is_plain = False
        self._survey.burden += cells + block.count(b"/>")
        if self._survey.refusal:
            return
        far = _FAR.search(block) is not None
        unusable = any(hint in block for hint in _HINTS)
        one_by_one = far or _UNPLACED.search(block) is not None
        for row in block.split(_ROW)[1:]:
            if row[:1] in _NAME_ENDS:
                self._find_row(row, one_by_one, unusable)
        self._survey.judge(self._filled_rows, self._limits)
        if b"mergeCell" in block:
            for left, top, right, bottom in _MERGED.findall(block):
                self._merged.append(
                    (int(top), column_number(left), int(bottom), column_number(right))
                )

    def _find_row(self, row: bytes, one_by_one: bool, unusable: bool) -> None:
        end = row.find(b">")
        attributes = row[:end]
        number = _ROW_NUMBER.match(attributes) or _ROW_NUMBER.search(attributes)
        self._row = int(number[1]) if number else self._row + 1
        filled = _FILLED.search(row, end)
        if filled:
            self._filled_rows += 1
            if b"hidden" in attributes and _HIDDEN.search(attributes):
                self._survey.hidden_rows.add(self._row)
        if one_by_one:
            for place, column, head, body in self._cells(row, end):
                self._find_cell(place, column, head, body)
        else:
            self._find_last(row, filled is not None)
        if unusable and _SUSPECT.search(row):
            for place, column, head, body in self._cells(row, end):
                self._find_unusable(place, column, head, body)

    def _find_last(self, row: bytes, filled: bool) -> None:
        """The last cell with a value; every cell of the row says its place."""
        value = max(row.rfind(b"</v>"), row.rfind(b"</is>"))
        if value < 0:
            return
        cell = _PLACED_FIRST.match(row, row.rfind(b"<c ", 0, value))
        if cell is None:
            self.is_plain = False
            return
        column = self._columns.get(cell[1]) or self._columns.setdefault(
            cell[1], column_number(cell[1])
        )
        self._note(int(cell[2]), column, filled)

    def _note(self, row: int, column: int, filled: bool) -> None:
        self._valued_row = max(self._valued_row, row)
        self._valued_column = max(self._valued_column, column)
        if filled:
            self._survey.reach(row, column)

    def _cells(self, row: bytes, start: int) -> Iterator[tuple[int, int, bytes, bytes]]:
        """Each cell's row, column, attributes and inside; without a place it follows the last."""
        column = 0
        for cell in _CELL.finditer(row, start):
            place = _PLACE.search(cell[1])
            column = column_number(place[1]) if place else column + 1
            number = int(place[2]) if place else self._row
            body = b""
            if not cell[1].endswith(b"/"):
                end = _CELL_END.search(row, cell.end())
                body = row[cell.end() : end.start() if end else len(row)]
            yield number, column, cell[1], body

    def _find_cell(self, row: int, column: int, attributes: bytes, body: bytes) -> None:
        if not body:
            return
        filled = _FILLED.search(body) is not None
        far = column > self._limits.columns or row > self._limits.rows
        if far and filled and column > self._limits.columns:
            self._survey.refuse("file.unsafe", FAR_CELL)
        elif far and not filled and (b"</v" in body or b"<is" in body):
            # A reader would take the stored empty text for content.
            self.is_plain = False
        elif b"</v" in body or b"<is" in body:
            self._note(row, column, filled)

    def _find_unusable(self, row: int, column: int, attributes: bytes, body: bytes) -> None:
        is_error = _ERROR_TYPE.search(attributes)
        if not is_error and not _FORMULA.search(body):
            return
        value = _VALUE.search(body)
        shown = (value[1] or b"").decode("utf-8", "replace").strip() if value else ""
        if not is_error and (shown or _FILLED.search(body)):
            return
        # A text formula with an empty <v> has a stored value: the empty text.
        if not is_error and value and _TEXT_TYPE.search(attributes):
            return
        if row <= self._limits.rows and column <= self._limits.columns:
            self._survey.mark(row, column, Unusable(shown))
            self._survey.last_column = max(self._survey.last_column, column)

    def _finish(self) -> SheetSurvey:
        self._survey.merge(self._merged)
        if (
            self._root is None
            or self._root[1] is not None
            or self._valued_row > self._limits.rows
            or self._valued_row * self._valued_column > self._limits.cells
        ):
            self.is_plain = False
        return self._survey
