"""A sheet's rows as the XML of xlsx: written cell by cell, openpyxl takes several times as long."""

import io
import math
import re
from collections.abc import Callable, Iterable
from functools import cache
from xml.sax.saxutils import escape

from openpyxl.utils import get_column_letter

from importers.cells import STRANGE, Value, text_of

# XML takes neither a vertical tab nor a form feed.
_UNWRITABLE = re.compile(f"[\v\f]|{STRANGE.pattern}")
_letters: Callable[[int], str] = cache(get_column_letter)


def plain(value: Value) -> str | int | float:
    """What is written of a value: numbers stay numbers, all else becomes text."""
    if isinstance(value, int | float) and math.isfinite(value):
        return value
    return _UNWRITABLE.sub("\ufffd", text_of(value))


class RowXml:
    """Rows from top to bottom; one that is left out stays blank."""

    def __init__(self) -> None:
        self._out = io.BytesIO()

    def add(self, number: int, cells: Iterable[tuple[int, Value, int]]) -> None:
        """A row (from 1) of (column from 1, value, number of the style), from left to right."""
        written = "".join([_cell(number, *cell) for cell in cells])
        self._out.write(f'<row r="{number}">{written}</row>'.encode())

    def content(self) -> bytes:
        """All rows."""
        return self._out.getvalue()


def _cell(row: int, column: int, value: Value, style: int) -> str:
    head = f'<c r="{_letters(column)}{row}"' + (f' s="{style}"' if style else "")
    shown = plain(value)
    if shown == "":
        return f"{head}/>" if style else ""
    if isinstance(shown, str):
        # A parser takes a bare carriage return for a line feed.
        text = escape(shown, {"\r": "&#13;"})
        return f'{head} t="inlineStr"><is><t>{text}</t></is></c>'
    kind = "b" if isinstance(shown, bool) else "n"
    number = repr(shown) if isinstance(shown, float) else f"{shown:d}"
    return f'{head} t="{kind}"><v>{number}</v></c>'
