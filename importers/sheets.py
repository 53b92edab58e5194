"""A workbook as every format's reader gives it: sheets, each loaded when it is asked for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice

from importers.cells import Unusable, Value
from importers.survey import SheetSurvey

# Row number and its values from column A on; short rows are not filled up.
Row = tuple[int, list[Value]]


@dataclass(frozen=True, slots=True)
class Content:
    """What a sheet holds. `rows` are its first ones alone where the survey refuses it."""

    survey: SheetSurvey
    rows: Callable[[], Iterator[Row]] = lambda: iter(())


@dataclass(frozen=True)
class Sheet:
    """A sheet, looked at and read when first asked about: what nobody reads does no harm."""

    name: str
    hidden: bool
    load: Callable[[], Content]

    @cached_property
    def _content(self) -> Content:
        return self.load()

    @property
    def survey(self) -> SheetSurvey:
        """What was seen of it besides its values."""
        return self._content.survey

    def require_readable(self) -> None:
        """Raises Refused where the sheet is too large, reaches too far, or is damaged."""
        if self.survey.refusal:
            raise self.survey.refusal

    def rows(self) -> Iterator[Row]:
        """All its rows, to be taken once their number is known; raises Refused."""
        self.require_readable()
        return self._content.rows()

    def top(self, count: int) -> list[Row]:
        """The first rows, of a sheet too that cannot be read whole."""
        return list(islice(self._content.rows(), count))

    def height(self) -> int:
        """The number of the last row that holds something."""
        return self.survey.last_row


@dataclass(frozen=True, slots=True)
class Book:
    """A file's sheets in its own order; the xlsx itself where it is one."""

    sheets: list[Sheet] = field(default_factory=list)
    xlsx: bytes | None = None


def overlaid(rows: Iterator[Row], survey: SheetSurvey) -> Iterator[Row]:
    """The rows with the survey's cells laid over them, which readers leave empty."""
    marks = dict(survey.unusable)
    number = 0
    for number, values in rows:
        cells = marks.pop(number, None)
        yield number, _with(values, cells) if cells else values
    # Formulas without values below everything that has one.
    for below in sorted(marks):
        if below > number:
            yield below, _with([], marks[below])


def _with(values: list[Value], cells: dict[int, Unusable]) -> list[Value]:
    width = max(len(values), *cells)
    row = [*values, *[""] * (width - len(values))]
    for column, value in cells.items():
        row[column - 1] = value
    return row
