"""The records of one sheet of an xls: how far its content goes, and what readers leave out."""

import struct
from collections.abc import Iterator

from importers.cells import Unusable
from importers.limits import Limits
from importers.survey import Area, SheetSurvey

_BOF, _EOF = 0x0809, 0x000A
_ROW, _MERGED, _DIMENSIONS = 0x0208, 0x00E5, 0x0200
_FORMULA, _BOOLERR, _STRING, _BLANK, _MULBLANK, _MULRK = 0x06, 0x205, 0x207, 0x201, 0xBE, 0xBD
# RK, LABELSST, LABEL, NUMBER, RSTRING
_SINGLE = frozenset({0x027E, 0x00FD, 0x0204, 0x0203, 0x00D6})
_TEXTS = frozenset({0x0204, 0x00D6})
# Between a formula and its text: SHRFMLA, ARRAY, TABLE, CONTINUE, and the text itself.
_MAY_STAND_BETWEEN = frozenset({0x04BC, 0x0221, 0x0236, 0x003C, _STRING})
_HIDDEN = 0x20
_SPECIAL = 0xFFFF
_TEXT_RESULT, _BOOL_RESULT, _ERROR_RESULT, _EMPTY_RESULT = range(4)
_ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}
_NOT_AVAILABLE = 0x2A
# Of a sheet that cannot be read, enough to see whether it is the roster.
_TOP_ROWS = 100


def records(book: bytes | bytearray, at: int) -> Iterator[tuple[int, int, int]]:
    """(kind, where its data begins, length) up to the end of the substream that begins at `at`."""
    depth = 0
    unpack = struct.Struct("<HH").unpack_from
    while at + 4 <= len(book):
        kind, length = unpack(book, at)
        at += 4
        if kind == _BOF:
            depth += 1
        elif kind == _EOF:
            depth -= 1
            if depth <= 0:
                return
        if depth <= 1:
            yield kind, at, length
        at += length


class SheetRecords:
    """A look at a sheet; raises struct.error for records that are cut short.

    What the reader would stumble over becomes a record of a blank cell, which it passes over: a
    size that the sheet only claims to have, stored empty texts, and all cells but the first ones
    of a sheet that is refused.
    """

    def __init__(self, book: bytearray, start: int, limits: Limits) -> None:
        self._book = book
        self._limits = limits
        self._rows: set[int] = set()
        self._hidden: set[int] = set()
        self._merged: list[Area] = []
        # A formula whose result is a text, which the next record is to hold.
        self._awaited: tuple[int, int] | None = None
        self.survey = SheetSurvey()
        for kind, at, length in records(book, start):
            self._look_at(kind, at, length)
        self._look_at(_EOF, start, 0)
        self.survey.hidden_rows |= self._hidden & self._rows
        self.survey.judge(len(self._rows), limits)
        self.survey.merge(self._merged)
        if self.survey.refusal:
            self._cut_short(start)

    def _look_at(self, kind: int, at: int, length: int) -> None:
        if self._awaited and kind not in _MAY_STAND_BETWEEN:
            row, column = self._awaited
            self.survey.mark(row + 1, column + 1, Unusable())
            self._awaited = None
        if kind in _SINGLE:
            row, column = struct.unpack_from("<HH", self._book, at)
            if kind not in _TEXTS or struct.unpack_from("<H", self._book, at + 6)[0]:
                self._fill(row, column)
        elif kind == _MULRK:
            row, column = struct.unpack_from("<HH", self._book, at)
            self._fill(row, column + (length - 6) // 6 - 1)
        elif kind in (_FORMULA, _BOOLERR):
            self._look_at_result(kind, at)
        elif kind == _STRING:
            self._look_at_text(at)
        elif kind == _ROW:
            row, flags = struct.unpack_from("<H10xH", self._book, at)
            if flags & _HIDDEN:
                self._hidden.add(row + 1)
        elif kind == _MERGED:
            ranges = self._book[at + 2 : at + 2 + (length - 2) // 8 * 8]
            for top, bottom, left, right in struct.iter_unpack("<4H", ranges):
                self._merged.append((top + 1, left + 1, bottom + 1, right + 1))
        elif kind == _DIMENSIONS:
            self._blank(at)

    def _fill(self, row: int, column: int) -> None:
        self._rows.add(row + 1)
        self.survey.reach(row + 1, column + 1)

    def _look_at_text(self, at: int) -> None:
        if self._awaited:
            if struct.unpack_from("<H", self._book, at)[0]:
                self._fill(*self._awaited)
            else:
                self._blank(at)
            self._awaited = None

    def _look_at_result(self, kind: int, at: int) -> None:
        row, column = struct.unpack_from("<HH", self._book, at)
        error = None
        if kind == _BOOLERR:
            value, is_error = struct.unpack_from("<BB", self._book, at + 6)
            error = at + 6 if is_error else None
        else:
            result, value, flags = struct.unpack_from("<BxBxxxH", self._book, at + 6)
            if flags == _SPECIAL and result >= _EMPTY_RESULT:
                self._blank(at)
                return
            if flags == _SPECIAL and result == _TEXT_RESULT:
                self._awaited = row, column
                return
            error = at + 8 if flags == _SPECIAL and result == _ERROR_RESULT else None
        self._fill(row, column)
        if error is not None:
            if value not in _ERRORS:
                self._book[error] = value = _NOT_AVAILABLE
            self.survey.mark(row + 1, column + 1, Unusable(_ERRORS[value]))

    def _blank(self, at: int) -> None:
        struct.pack_into("<H", self._book, at - 4, _BLANK)

    def _cut_short(self, start: int) -> None:
        follows = False
        for kind, at, _ in records(self._book, start):
            if kind in _SINGLE or kind in (_FORMULA, _BOOLERR, _MULRK):
                row, column = struct.unpack_from("<HH", self._book, at)
                follows = row >= _TOP_ROWS or column >= self._limits.columns
            elif kind != _STRING:
                continue
            if follows:
                self._blank(at)
