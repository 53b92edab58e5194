"""One way to read every format: sheets of rows, numbered as the spreadsheet program shows them."""

from collections import defaultdict
from collections.abc import Iterable

from importers.cells import Value, text_of
from importers.guard import inspect
from importers.limits import Limits, Refused
from importers.sheets import Book
from importers.survey import Area


def open_book(data: bytes, limits: Limits) -> Book:
    """Inspects the file, then opens it; raises Refused."""
    book = inspect(data, limits)
    if not book.sheets:
        raise Refused.because("file.unreadable", "没有工作表")
    return book


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
