"""xls before it is parsed: password, macros, links, far cells; and what readers leave out."""

import struct
from collections.abc import Iterator

from importers.cells import Unusable
from importers.compound import Compound
from importers.limits import Limits, Refused
from importers.survey import SheetSurvey, Survey

_BOF, _EOF, _FILEPASS, _BOUNDSHEET, _SUPBOOK = 0x0809, 0x000A, 0x002F, 0x0085, 0x01AE
_ROW, _MERGED, _FORMULA, _BOOLERR = 0x0208, 0x00E5, 0x0006, 0x0205
# BLANK, MULBLANK, RK, MULRK, LABELSST, LABEL, NUMBER, RSTRING
_CELLS = frozenset({0x0201, 0x00BE, 0x027E, 0x00BD, 0x00FD, 0x0204, 0x0203, 0x00D6})
_MACRO_SHEET = 1
_OWN_BOOKS = (0x0401, 0x3A01)
_HIDDEN = 0x20
_ERROR_RESULT = 2
_ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}


def survey_workbook(container: Compound, limits: Limits) -> Survey:
    """Looks at all records; raises Refused, or tells what it saw of each sheet, by its place."""
    if "EncryptedPackage" in container.names:
        raise Refused.because("file.encrypted")
    book = container.stream("Workbook", "Book")
    if book is None:
        raise Refused.because("file.unreadable", "内容不是 Excel 工作簿")
    try:
        starts = _sheet_starts(book)
        if "_VBA_PROJECT_CUR" in container.names:
            raise Refused.because("file.macros")
        surveys = [_survey_sheet(book, start, limits) for start in starts[: limits.sheets]]
    except struct.error as error:
        raise Refused.because("file.unreadable", "工作簿记录不完整") from error
    return Survey(lambda place, _: surveys[place] if place < len(surveys) else SheetSurvey())


def _records(book: bytes, at: int) -> Iterator[tuple[int, int, int]]:
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


def _sheet_starts(book: bytes) -> list[int]:
    starts = []
    external = macros = False
    for kind, at, _ in _records(book, 0):
        if kind == _FILEPASS:
            raise Refused.because("file.encrypted")
        if kind == _BOUNDSHEET:
            start, _, sheet_type = struct.unpack_from("<IBB", book, at)
            starts.append(start)
            macros = macros or sheet_type == _MACRO_SHEET
        elif kind == _SUPBOOK:
            length = struct.unpack_from("<H", book, at + 2)[0]
            external = external or (length > 1 and length not in _OWN_BOOKS)
    if macros:
        raise Refused.because("file.macros")
    if external:
        raise Refused.because("file.unsafe", "含有外部链接")
    return starts


def _survey_sheet(book: bytes, start: int, limits: Limits) -> SheetSurvey:
    survey = SheetSurvey()
    place = struct.Struct("<HH").unpack_from
    last_row = last_column = -1
    for kind, at, length in _records(book, start):
        if kind in _CELLS:
            row, column = place(book, at)
            last_row, last_column = max(last_row, row), max(last_column, column)
        elif kind in (_FORMULA, _BOOLERR):
            row, column = place(book, at)
            last_row, last_column = max(last_row, row), max(last_column, column)
            error = _error(book, kind, at)
            if error is not None:
                survey.mark(row + 1, column + 1, Unusable(_ERRORS.get(error, "#N/A")))
        elif kind == _ROW:
            if struct.unpack_from("<H", book, at + 12)[0] & _HIDDEN:
                survey.hidden_rows.add(place(book, at)[0] + 1)
        elif kind == _MERGED:
            for top, bottom, left, right in struct.iter_unpack(
                "<4H", book[at + 2 : at + 2 + (length - 2) // 8 * 8]
            ):
                survey.merge((top + 1, left + 1, bottom + 1, right + 1), limits)
    survey.reach(last_row + 1, last_column + 1, limits)
    return survey


def _error(book: bytes, kind: int, at: int) -> int | None:
    if kind == _BOOLERR:
        value, is_error = struct.unpack_from("<BB", book, at + 6)
        return value if is_error else None
    result, value, flags = struct.unpack_from("<BxBxxxH", book, at + 6)
    return value if flags == 0xFFFF and result == _ERROR_RESULT else None
