"""What a look at the raw file finds that the cell reader does not tell."""

from collections.abc import Callable
from dataclasses import dataclass, field

from importers.cells import Unusable
from importers.limits import Limits, Refused

# First row, first column, last row, last column.
Area = tuple[int, int, int, int]


@dataclass(slots=True)
class SheetSurvey:
    """Of one sheet; rows and columns count from 1."""

    hidden_rows: set[int] = field(default_factory=set)
    merged: list[Area] = field(default_factory=list)
    unusable: dict[int, dict[int, Unusable]] = field(default_factory=dict)
    last_row: int = 0
    last_column: int = 0

    def mark(self, row: int, column: int, value: Unusable) -> None:
        """Notes a cell whose value the file does not hold."""
        self.unusable.setdefault(row, {})[column] = value

    def merge(self, area: Area, limits: Limits) -> None:
        """Notes a merged range that spans rows."""
        self.reach(area[2], area[3], limits)
        if area[2] > area[0]:
            self.merged.append(area)

    def reach(self, row: int, column: int, limits: Limits) -> None:
        """Notes that the sheet reaches this far; raises Refused for a far cell."""
        self.last_row = max(self.last_row, row)
        self.last_column = max(self.last_column, column)
        if self.last_row > limits.rows or self.last_column > limits.columns:
            raise Refused.because("file.unsafe", "有离数据很远的单元格")
        if self.last_row * self.last_column > limits.cells:
            raise Refused.because("file.unsafe", "表格区域过大")


@dataclass(frozen=True, slots=True)
class Survey:
    """Of a workbook: its sheets by name or, where the format has only an order, by place."""

    find: Callable[[int, str], SheetSurvey]
