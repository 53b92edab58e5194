"""CSV and other text tables: encoding, delimiter, records."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from itertools import islice
from statistics import fmean

from importers.limits import Limits, Refused
from importers.no_tables import what_text_is
from school_portal.domain.texts import BLANKS, trimmed

_CONTROLS = re.compile("[\x00-\x08\x0e-\x19\x1b-\x1f\x7f]")
_CONTROL_BYTES = bytes([*range(9), *range(14, 26), *range(27, 32), 127])
# DOS ended texts by 0x1A; some programs fill the last block up with zeros.
_PADDING = "\0\x1a"
# A mark stands twice where a program put its own before another's, or files were joined.
_LINE_MARKS = re.compile("^\ufeff+", re.MULTILINE)
# Of other files, a larger share of bytes are controls; of text, next to none.
_JUNK_SHARE = 0.02
_SAMPLE_RECORDS = 50
_DELIMITERS = (",", "\t", ";")
_SURE_ENCODINGS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode(data: bytes) -> str:
    """The text: by its byte-order mark, else UTF-8, else GB18030, strictly.

    Raises Refused: `file.encoding` for text in another encoding, `file.unreadable` for no text.
    """
    sure = next((name for mark, name in _SURE_ENCODINGS if data.startswith(mark)), None)
    content = data if sure else data.strip(_PADDING.encode())
    if sure is None and b"\0" in content:
        raise _no_text(data)
    for encoding in (sure,) if sure else ("utf-8", "gb18030"):
        try:
            text = _unpadded(content.decode(encoding))
        except UnicodeDecodeError:
            continue
        if len(_CONTROLS.findall(text)) > len(text) * _JUNK_SHARE or "\0" in text:
            raise Refused.because("file.unreadable")
        return text
    raise _no_text(data)


def _no_text(data: bytes) -> Refused:
    if b"\0" in data:
        return Refused.because("file.encoding" if _is_unmarked_utf16(data) else "file.unreadable")
    junk = len(data) - len(data.translate(None, _CONTROL_BYTES))
    return Refused.because("file.unreadable" if junk > len(data) * _JUNK_SHARE else "file.encoding")


def _unpadded(text: str) -> str:
    """Without what fills the file up at its end, and without byte-order marks before lines."""
    return _LINE_MARKS.sub("", text.rstrip(_PADDING + BLANKS))


def _is_unmarked_utf16(data: bytes) -> bool:
    for encoding in ("utf-16-le", "utf-16-be"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        # The wrong byte order turns commas and line ends into rare characters.
        if not _CONTROLS.search(text) and {",", "\t", ";", "\n"} & set(text):
            return True
    return False


class TextTable:
    """The records of a text; numbered as a spreadsheet program numbers its rows."""

    def __init__(self, data: bytes, limits: Limits) -> None:
        """Raises Refused; the records have then all been read through once."""
        self._text = decode(data)
        if not trimmed(self._text):
            raise Refused.because("file.unreadable", "没有内容")
        if what := what_text_is(self._text):
            raise Refused.because("file.unreadable", what)
        csv.field_size_limit(max(len(self._text), csv.field_size_limit()))
        self._delimiter = max(_DELIMITERS, key=self._width)
        self.rows = self._check(limits)

    def _width(self, delimiter: str) -> float:
        # Leniently, and on the average: a stray quote takes the lines behind it into its own cell,
        # which is no ground for another delimiter.
        records = islice(self._records(delimiter, strict=False), _SAMPLE_RECORDS)
        return fmean(map(len, records))

    def _records(self, delimiter: str, *, strict: bool = True) -> Iterator[list[str]]:
        lines = io.StringIO(self._text, newline="")
        return csv.reader(lines, delimiter=delimiter, strict=strict)

    def _check(self, limits: Limits) -> int:
        number = 0
        filled = 0  # blank lines count for the numbers of rows alone
        try:
            for number, record in enumerate(self._records(self._delimiter), 1):
                filled += any(map(trimmed, record))
                if filled > limits.rows:
                    raise Refused.because("file.too-many-rows", f"上限 {limits.rows} 行")
                if len(record) > limits.columns and any(record[limits.columns :]):
                    raise Refused.because("file.unsafe", f"第 {number} 行列数过多")
        except csv.Error as error:
            raise Refused.because("file.unreadable", f"第 {number + 1} 行的引号没有配对") from error
        return number

    def records(self) -> Iterator[list[str]]:
        """The records, blank ones too."""
        return self._records(self._delimiter)
