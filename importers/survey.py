"""What a look at the raw file finds that the cell reader does not tell."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from importers.cells import Unusable
from importers.limits import Limits, Refused

# First row, first column, last row, last column.
Area = tuple[int, int, int, int]

FAR_CELL = "有离数据很远的单元格"


@dataclass(slots=True)
class SheetSurvey:
    """Of one sheet; rows and columns count from 1. Only what holds something counts."""

    hidden_rows: set[int] = field(default_factory=set)
    merged: list[Area] = field(default_factory=list)
    unusable: dict[int, dict[int, Unusable]] = field(default_factory=dict)
    last_row: int = 0
    last_column: int = 0
    # What an editor of the sheet has to hold: its cells, the empty ones and merged areas too.
    burden: int = 0
    # Why the sheet cannot be read, which is no fault of a file of which it is not the roster.
    refusal: Refused | None = None

    def mark(self, row: int, column: int, value: Unusable) -> None:
        """Notes a cell whose value the file does not hold."""
        self.unusable.setdefault(row, {})[column] = value

    def reach(self, row: int, column: int) -> None:
        """Notes a cell that holds something."""
        self.last_row = max(self.last_row, row)
        self.last_column = max(self.last_column, column)

    def refuse(self, code: str, detail: str) -> None:
        """Notes why the sheet cannot be read; the first reason stays."""
        self.refusal = self.refusal or Refused.because(code, detail)

    def judge(self, filled_rows: int, limits: Limits) -> None:
        """Refuses the sheet where its content is too much, or too far from the rest."""
        if filled_rows > limits.rows or (
            self.last_row > limits.rows and filled_rows > limits.rows // 2
        ):
            self.refuse("file.too-many-rows", f"上限 {limits.rows} 行")
        if self.last_row > limits.rows or self.last_column > limits.columns:
            self.refuse("file.unsafe", FAR_CELL)
        if self.last_row * self.last_column > limits.cells:
            self.refuse("file.unsafe", "表格区域过大")

    def merge(self, areas: Iterable[Area]) -> None:
        """Notes merged ranges that span rows, as far as the content goes; it is known by then."""
        for top, left, bottom, right in areas:
            self.burden += (bottom - top + 1) * (right - left + 1)
            area = (top, left, min(bottom, self.last_row), min(right, self.last_column))
            if area[2] > top and area[3] >= left:
                self.merged.append(area)
