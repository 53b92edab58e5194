"""Which rows of a sheet are students: not the blank, the prepared, the totals and the remarks."""

import re
from collections.abc import Iterable

from importers.cells import Unusable, Value, is_error_text, says_nothing, text_of
from importers.roster_fields import REQUIRED
from importers.sheets import Row
from school_portal.domain.labels import fold

# Without any of them a row names nobody.
_IDENTITY = ("学号", "姓名", "证件号码")
_CLOSING = re.compile(
    "合计|总计|小计|备注|注|说明|制表人|填表人|审核人|负责人|签字|以下空白"
    "|共[计有]?[0-9零〇一二两三四五六七八九十百千]+[人名位]"
)
# What stands around such words: （注：…）, *以下空白*.
_AROUND = "([{【〔《<「*※#-—_=~·•:、.。"
_DOCUMENT_SHAPE = re.compile(r"[0-9A-Za-z()]{8,}")
_STUDENT_NUMBER_SHAPE = re.compile(r"(?=.*[0-9])[0-9A-Za-z-]{6,}")
# In a guide to the columns no cell is a number; of a student at least one is.
_NUMBER_SHAPE = re.compile(r"(?=(?:[^0-9]*[0-9]){5})[0-9A-Za-z().+-]+")
_NUMBERED = ("学号", "证件号码", "手机号码")


class StudentRows:
    """Tells the students among the rows below a header."""

    def __init__(self, columns: dict[str, int]) -> None:
        self._columns = columns
        self._identity = frozenset(columns[name] for name in _IDENTITY if name in columns)
        self._required = [columns[name] for name in REQUIRED if name in columns]
        self._broken: list[Row] = []
        self._any = False

    def admit(self, number: int, values: list[Value], filled: list[Value]) -> list[Row]:
        """The rows that are students as far as is known now.

        `values` are the row's own, `filled` with what merged ranges give it. A row that names its
        student by error values alone is one where a student follows; below the last student it
        is what prepared formulas leave.
        """
        student = self._names_somebody(values)
        if student is None:
            self._broken.append((number, filled))
        if not student or self._closes(values):
            return []
        self._any = True
        admitted, self._broken = [*self._broken, (number, filled)], []
        return admitted

    def rest(self) -> list[Row]:
        """At the sheet's end: the rows of error values, where there is no student above them."""
        return [] if self._any else self._broken

    def has_any(self, rows: Iterable[Row]) -> bool:
        """Whether one of the rows is a student, or may be: a guide to the columns is none."""
        for _, values in rows:
            student = self._names_somebody(values)
            if student is None or (
                student
                and not self._closes(values)
                and any(self._is_telling(values, name) for name in _NUMBERED)
            ):
                return True
        return False

    def _names_somebody(self, values: list[Value]) -> bool | None:
        """Whether a required column says anything; None where all that names a student is broken.

        A formula without value counts where a student is named by it: it may have had one.
        """
        broken = 0
        for column in self._required:
            value = values[column] if column < len(values) else ""
            if value == "":
                continue
            text = text_of(value)
            if isinstance(value, Unusable):
                if not text and column in self._identity:
                    return True
                broken += column in self._identity
            elif not says_nothing(text):
                return True
            elif is_error_text(text):
                broken += column in self._identity
        return None if broken and broken == len(self._identity) else False

    def _closes(self, values: list[Value]) -> bool:
        """Whether it is a total, a remark or a signature, and no student of such a class."""
        first = next((text for value in values if (text := text_of(value))), "")
        if first.isascii() or not _CLOSING.match(fold(first).lstrip(_AROUND)):
            return False
        if _DOCUMENT_SHAPE.fullmatch(self._folded(values, "证件号码")):
            return False
        number = _STUDENT_NUMBER_SHAPE.fullmatch(self._folded(values, "学号"))
        return not (number and self._folded(values, "姓名"))

    def _is_telling(self, values: list[Value], name: str) -> bool:
        column = self._columns.get(name, len(values))
        if column < len(values) and isinstance(values[column], Unusable):
            return column in self._identity
        return _NUMBER_SHAPE.fullmatch(self._folded(values, name)) is not None

    def _folded(self, values: list[Value], name: str) -> str:
        column = self._columns.get(name, len(values))
        return fold(text_of(values[column])) if column < len(values) else ""
