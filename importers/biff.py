"""xls: its records are looked at, and put right where the fast reader would misread them."""

import codecs
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from importers.biff_records import SheetRecords, records
from importers.compound import Compound, container_of
from importers.encryption import with_default_password
from importers.fast_reader import opened, rows_of, sheet_of
from importers.limits import Limits, Refused
from importers.sheets import Content, Row, Sheet, overlaid

_BOF, _FILEPASS, _BOUNDSHEET, _SUPBOOK, _CODEPAGE = 0x0809, 0x002F, 0x0085, 0x01AE, 0x0042
_MACRO_SHEET = 1
_OWN_BOOKS = (0x0401, 0x3A01)
_STATE = 0x3
_SHORTEST = 4096
# What Excel 5 leaves of the password that Excel itself tries; msoffcrypto knows later ones alone.
_DEFAULT_LOCK = b"\x59\xb3\x0a\x9a"
_BIFF8 = 0x0600
_UTF_16, _WESTERN = 1200, 1252
# Code pages that Python calls otherwise; without any, texts are in that of a Chinese system.
_CODECS = {
    None: "gb18030",
    936: "gb18030",
    10008: "gb18030",
    54936: "gb18030",
    10000: "mac_roman",
    32768: "mac_roman",
}
# The bytes of Windows-1252, in which the reader is made to give texts of one byte a character.
_BYTES = {ord(bytes([b]).decode("cp1252", "ignore") or chr(b)): b for b in range(0x80, 0xA0)}


def sheets_of(container: Compound, limits: Limits) -> list[Sheet]:
    """The worksheets; raises Refused for what no workbook of ours may hold."""
    try:
        book = _Globals(_stream(container))
        if book.lock is not None:
            book = _Globals(_unlocked(book.stream, book.lock))
        if book.has_macros or "_VBA_PROJECT_CUR" in container.names:
            raise Refused.because("file.macros")
        if book.has_links:
            raise Refused.because("file.unsafe", "含有外部链接")
        if book.visible > limits.sheets:
            raise Refused.because("file.unsafe", "工作表过多")
        found = [SheetRecords(book.stream, start, limits) for start in book.starts]
    except struct.error as error:
        raise Refused.because("file.unreadable", "工作簿记录不完整") from error
    workbook = opened(container_of("Workbook", bytes(book.stream)))
    return list(_sheets(workbook, found, book.text))


def _stream(container: Compound) -> bytearray:
    stream = container.stream("Workbook", "Book")
    if stream is None:
        raise Refused.because("file.unreadable", "内容不是 Excel 工作簿")
    return bytearray(stream)


def _unlocked(stream: bytearray, lock: bytes) -> bytearray:
    at = 0
    while at + 4 <= len(stream):
        at += 4 + struct.unpack_from("<H", stream, at + 2)[0]
    # msoffcrypto reads headers of four bytes to the very end, through what only fills it up.
    filled = bytes(stream[:at]) + bytes(-(-max(_SHORTEST - at, 0) // 4) * 4)
    try:
        return _stream(Compound(with_default_password(container_of("Workbook", filled))))
    except Refused as refused:
        if lock == _DEFAULT_LOCK:
            detail = "由“保护工作簿”自动加上，打开时不询问，另存为 xlsx 即可去掉"
            raise Refused.because("file.encrypted", detail) from refused
        raise


def _sheets(
    workbook: CalamineWorkbook, found: list[SheetRecords], text: Callable[[str], str]
) -> Iterator[Sheet]:
    for metadata, records_ in zip(workbook.sheets_metadata, found, strict=False):
        if metadata.typ is SheetTypeEnum.WorkSheet:
            hidden = metadata.visible is not SheetVisibleEnum.Visible
            load = partial(_load, workbook, metadata.name, records_, text)
            yield Sheet(text(metadata.name), hidden, load)


def _load(
    workbook: CalamineWorkbook, name: str, found: SheetRecords, text: Callable[[str], str]
) -> Content:
    sheet = sheet_of(workbook, name)

    def rows() -> Iterator[Row]:
        for number, values in overlaid(rows_of(sheet), found.survey):
            yield number, [text(value) if isinstance(value, str) else value for value in values]

    return Content(found.survey, rows)


@dataclass(slots=True)
class _Globals:
    """What stands before the sheets; the reader's stumbling blocks are taken away on the way."""

    stream: bytearray
    starts: list[int] = field(default_factory=list)
    visible: int = 0
    lock: bytes | None = None
    has_macros: bool = False
    has_links: bool = False
    version: int = _BIFF8
    codec: str = _CODECS[None]

    def __post_init__(self) -> None:
        for kind, at, length in records(self.stream, 0):
            if kind == _BOF:
                self.version = struct.unpack_from("<H", self.stream, at)[0] or _BIFF8
            elif kind == _FILEPASS:
                self.lock = bytes(self.stream[at : at + length])
                return
            elif kind == _BOUNDSHEET:
                self._list_sheet(at)
            elif kind == _SUPBOOK:
                name = struct.unpack_from("<H", self.stream, at + 2)[0]
                self.has_links = self.has_links or (name > 1 and name not in _OWN_BOOKS)
            elif kind == _CODEPAGE:
                self._set_codepage(at)

    def _list_sheet(self, at: int) -> None:
        start, state, kind = struct.unpack_from("<IBB", self.stream, at)
        self.starts.append(start)
        self.has_macros = self.has_macros or kind == _MACRO_SHEET
        self.stream[at + 4] = min(state & _STATE, 2)
        self.visible += state & _STATE == 0

    def _set_codepage(self, at: int) -> None:
        """Texts of Excel 97 and later are Unicode, whatever the record says."""
        (codepage,) = struct.unpack_from("<H", self.stream, at)
        try:
            self.codec = codecs.lookup(_CODECS.get(codepage, f"cp{codepage}")).name
        except LookupError:
            self.codec = "cp1252"
        struct.pack_into("<H", self.stream, at, _UTF_16 if self._is_unicode else _WESTERN)

    @property
    def _is_unicode(self) -> bool:
        return self.version >= _BIFF8

    def text(self, text: str) -> str:
        """The text as it was meant: before Excel 97 it has one byte a character, or two."""
        if self._is_unicode or text.isascii():
            return text
        return text.translate(_BYTES).encode("latin-1", "replace").decode(self.codec, "replace")
