"""The roster's columns: names, synonyms, lengths; and where a sheet's header is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from importers.cells import Value, text_of
from importers.sheets import Row
from importers.survey import Area
from importers.workbook import FillDown
from school_portal.domain.labels import fold


@dataclass(frozen=True, slots=True)
class Field:
    """A column of the contract's roster; `longest` in characters."""

    name: str
    longest: int
    required: bool = False
    synonyms: tuple[str, ...] = ()


FIELDS = (
    Field("学号", 40, required=True),
    Field("姓名", 60, required=True),
    Field("证件类型", 30),
    Field("证件号码", 40, required=True, synonyms=("身份证号", "身份证号码", "证件号")),
    Field("性别", 10),
    Field("出生日期", 40),
    Field("民族", 30),
    Field("手机号码", 30, required=True, synonyms=("手机号", "手机", "联系电话")),
    Field("培养层次", 20),
    Field("专业代码", 30),
    Field("专业名称", 100, required=True, synonyms=("专业",)),
    Field("班级", 60),
    Field("入学年月", 40),
    Field("毕业年月", 40, required=True, synonyms=("预计毕业年月", "毕业时间", "毕业日期")),
    Field("学籍状态", 20),
    Field("学习形式", 20),
    Field("申报事项", 30),
    Field("职业编码", 30),
    Field("申报职业", 100, synonyms=("职业", "职业名称")),
    Field("申报工种", 100, synonyms=("工种", "职业方向")),
    Field("申报等级", 30, synonyms=("等级", "级别")),
    Field("评价机构", 100, synonyms=("评价机构名称",)),
)
REQUIRED = tuple(field.name for field in FIELDS if field.required)
LONGEST = MappingProxyType({field.name: field.longest for field in FIELDS})
ORDER = MappingProxyType({field.name: place for place, field in enumerate(FIELDS)})

_BY_HEADER = MappingProxyType(
    {name: field.name for field in FIELDS for name in (field.name, *field.synonyms)}
)
# The template's own hidden sheet, from which its drop-downs are fed.
LISTS_SHEET = "选项"
# A header stands below titles, never deeper than this.
HEADER_DEPTH = 30
# Fewer are chance: a title or a student's class may carry the word.
_FEWEST_FIELDS = 3


@dataclass(frozen=True, slots=True)
class Header:
    """Where the header ends, its columns (0 is A) by field, and what it holds besides."""

    row: int
    columns: dict[str, int]
    repeated: tuple[str, ...]
    ignored: tuple[str, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """Required fields that have no column."""
        return tuple(name for name in REQUIRED if name not in self.columns)

    @property
    def looks_like_a_roster(self) -> bool:
        """Whether enough of the contract's columns are there."""
        return len(self.columns) >= _FEWEST_FIELDS and len(self.missing) < len(REQUIRED) - 1


def field_of(header: Value) -> str | None:
    """The field that a header names in any width, case and spacing; `*` marks required ones."""
    return _BY_HEADER.get(fold(text_of(header)).strip("*").casefold())


def find_header(rows: Sequence[Row], merged: Iterable[Area]) -> Header | None:
    """The row with the most fields among the first rows of a sheet, with a second row of it.

    None where no row names any field.
    """
    fill = FillDown(merged).fill
    head = [(number, fill(number, values)) for number, values in rows]
    counts = [len(_fields(values)) for _, values in head]
    best = max(range(len(head)), key=counts.__getitem__, default=None)
    if best is None or not counts[best]:
        return None
    number, values = head[best]
    if best + 1 < len(head) and _fields(head[best + 1][1]) - _fields(values):
        number, lower = head[best + 1]
        values = [below if field_of(below) else above for above, below in _pairs(values, lower)]
    return _header(number, values)


def _pairs(above: list[Value], below: list[Value]) -> Iterable[tuple[Value, Value]]:
    width = max(len(above), len(below))
    padded = [[*row, *[""] * (width - len(row))] for row in (above, below)]
    return zip(*padded, strict=True)


def _fields(values: list[Value]) -> set[str]:
    return {name for value in values if (name := field_of(value))}


def _header(row: int, values: list[Value]) -> Header:
    columns: dict[str, int] = {}
    repeated: dict[str, None] = {}
    ignored: list[str] = []
    for column, value in enumerate(values):
        name = field_of(value)
        if name is None:
            if text := text_of(value):
                ignored.append(text)
        elif name in columns:
            repeated[name] = None
        else:
            columns[name] = column
    return Header(row, columns, tuple(repeated), tuple(ignored))
