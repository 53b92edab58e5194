"""Workbooks of plain tables: every visible sheet as rows of text."""

from collections.abc import Iterator
from dataclasses import dataclass

from importers.cells import text_of
from importers.limits import Limits
from importers.workbook import FillDown, open_book

_PART_ROWS = 1000


@dataclass(frozen=True, slots=True)
class SheetPart:
    """Some rows of a sheet, numbered; an empty sheet comes as one part without rows."""

    sheet: str
    rows: list[tuple[int, tuple[str, ...]]]


def read_tables(data: bytes, limits: Limits) -> Iterator[SheetPart]:
    """The sheets' rows that are not blank, in parts; raises Refused."""
    for sheet in open_book(data, limits).sheets:
        if sheet.hidden:
            continue
        part = SheetPart(sheet.name, [])
        fill = FillDown(sheet.survey.merged).fill
        for number, values in sheet.rows():
            texts = tuple(text_of(value) for value in fill(number, values))
            if any(texts):
                part.rows.append((number, texts))
            if len(part.rows) == _PART_ROWS:
                yield part
                part = SheetPart(sheet.name, [])
        yield part
