"""The opening-data workbook's sheets as rows of text."""

from collections.abc import Iterator
from dataclasses import dataclass

from importers.cells import text_of
from importers.limits import Limits
from importers.opening_sheets import HIDDEN, SHEETS
from importers.workbook import FillDown, open_book

_PART_ROWS = 1000


@dataclass(frozen=True, slots=True)
class SheetPart:
    """Some rows of a sheet, numbered; an empty sheet comes as one part without rows."""

    sheet: str
    rows: list[tuple[int, tuple[str, ...]]]


def read_tables(data: bytes, limits: Limits) -> Iterator[SheetPart]:
    """The sheets' rows that are not blank, in parts; raises Refused.

    Of the hidden sheets those come that should not be: marked in their names.
    """
    for sheet in open_book(data, limits).sheets:
        if sheet.hidden and sheet.name not in SHEETS:
            continue
        name = sheet.name + HIDDEN * sheet.hidden
        part = SheetPart(name, [])
        fill = FillDown(sheet.survey.merged).fill
        for number, values in sheet.rows():
            texts = tuple(text_of(value) for value in fill(number, values))
            if any(texts):
                part.rows.append((number, texts))
            if len(part.rows) == _PART_ROWS:
                yield part
                part = SheetPart(name, [])
        yield part
