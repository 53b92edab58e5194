"""The opening-data workbook (contract, "Opening data workbook"): rows out, every fault at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from importers.opening_sheets import HIDDEN, KEYS, SHEETS, SPANS, UNUSED, CellRefused, read_text
from school_portal.domain.labels import fold
from school_portal.domain.levels import TrainingLevel
from school_portal.domain.projects import Occupation, Project
from school_portal.domain.roster import Route
from school_portal.domain.texts import trimmed

Cells = Sequence[tuple[int, Sequence[str]]]
"""A sheet: (row as the spreadsheet program shows it, the row's cells as text)."""
Sheets = Mapping[str, Cells]


@dataclass(frozen=True, slots=True)
class OpeningIssue:
    """A fault (or a remark) at its place; `message` says it whole."""

    sheet: str
    row: int | None
    column: str | None
    severity: Literal["error", "warning"]
    message: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row's values by column name; those that could not be read are missing."""

    sheet: str
    number: int
    values: Mapping[str, Any]

    def __getitem__(self, column: str) -> Any:
        return self.values.get(column)


@dataclass(slots=True)
class OpeningData:
    """Rows by sheet, and what is wrong with them; with any error nothing may be loaded."""

    rows: dict[str, list[Row]]
    issues: list[OpeningIssue] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        return not any(found.severity == "error" for found in self.issues)


@dataclass(frozen=True, slots=True)
class Known:
    """What is saved already and may be referred to."""

    schools: Mapping[str, Collection[TrainingLevel]] = field(default_factory=dict)
    specialties: Collection[tuple[str, str, TrainingLevel]] = ()  # school, code, level
    bodies: Collection[str] = ()
    occupations: Collection[Occupation] = ()


def read_opening(sheets: Sheets, known: Known) -> OpeningData:
    """The workbook's rows, checked one by one and against each other and what is saved."""
    data = OpeningData({name: [] for name in SHEETS})
    for name, rows in sheets.items():
        if name in SHEETS:
            _read_sheet(data, name, rows)
        else:
            _tell_unread(data, name, rows)
    _tell_missing(data, sheets)
    _check_doubles(data)
    _check_spans(data)
    _References(data, known).check()
    data.issues.sort(key=lambda found: (_place_of(found.sheet), found.row or 0))
    return data


def _place_of(sheet: str) -> int:
    return list(SHEETS).index(sheet) if sheet in SHEETS else -1


def _tell(
    data: OpeningData,
    sheet: str,
    row: int | None,
    column: str | None,
    text: str,
    severity: Literal["error", "warning"] = "error",
) -> None:
    place = f"工作表“{sheet}”" + (f"第 {row} 行" if row else "") + (f"“{column}”" if column else "")
    data.issues.append(OpeningIssue(sheet, row, column, severity, f"{place}：{text}"))


def _tell_unread(data: OpeningData, name: str, rows: Cells) -> None:
    """A sheet of another name, whatever it holds; a hidden or unused one only with data."""
    below = sum(number > 1 for number, _ in rows)
    if name.removesuffix(HIDDEN) in SHEETS:
        if below:
            text = f"已隐藏，其中 {below} 行没有读取，请取消隐藏后重新载入；不需要的请删去。"
            _tell(data, name.removesuffix(HIDDEN), None, None, text)
    elif name in UNUSED:
        if below:
            text = f"平台尚不使用这张表，其中 {below} 行没有读取。"
            _tell(data, name, None, None, text, "warning")
    elif rows:
        _tell(data, name, None, None, "不是期初数据的工作表，请改正名称或删去。")


def _tell_missing(data: OpeningData, sheets: Sheets) -> None:
    """Sheets that are not there, or a workbook without any row, are no success without a word."""
    missing = [name for name in SHEETS if name not in sheets and name + HIDDEN not in sheets]
    if len(missing) == len(SHEETS):
        text = f"没有找到任何工作表，应有：{'、'.join(missing)}。"
        _tell(data, "期初数据", None, None, text)
        return
    for name in missing:
        text = "工作簿中没有这张表，请补上；没有内容的，保留只有表头的工作表。"
        _tell(data, name, None, None, text, "error" if name == "学校" else "warning")
    if data.is_sound and not any(data.rows.values()):
        text = "所有工作表都没有数据，没有载入任何内容。"
        _tell(data, "期初数据", None, None, text, "warning")


def _read_sheet(data: OpeningData, name: str, rows: Cells) -> None:
    header = rows[0][1] if rows and rows[0][0] == 1 else ()
    titles = [fold(cell).rstrip("*") for cell in header]
    places = {fold(title): place for place, title in enumerate(titles)}
    missing = [c.name for c in SHEETS[name] if not c.optional_column and fold(c.name) not in places]
    doubled = sorted({title for title in titles if title and titles.count(title) > 1})
    for text, columns in (("第一行表头缺少：", missing), ("表头重复：", doubled)):
        if columns:
            _tell(data, name, 1, None, f"{text}{'、'.join(columns)}。")
    if missing or doubled:
        return
    unknown = _unknown_columns(name, titles, rows[1:])
    if unknown:
        text = f"没有这样的列，其内容没有读取：{'、'.join(unknown)}；写错的，请改正表头后重新载入。"
        _tell(data, name, 1, None, text, "warning")
    for number, cells in rows[1:]:
        if any(trimmed(cell) for cell in cells):
            data.rows[name].append(_read_row(data, name, number, cells, places))


def _unknown_columns(sheet: str, titles: Sequence[str], rows: Cells) -> list[str]:
    """The headings that the sheet does not have, and the columns that hold things without one."""
    known = {fold(column.name) for column in SHEETS[sheet]}
    filled = {place for _, cells in rows for place, cell in enumerate(cells) if cell.strip()}
    nameless = (place for place in sorted(filled) if not "".join(titles[place : place + 1]))
    unknown = [title for title in titles if title and fold(title) not in known]
    return unknown + [f"第 {place + 1} 列（没有表头）" for place in nameless]


def _read_row(
    data: OpeningData, sheet: str, number: int, cells: Sequence[str], places: Mapping[str, int]
) -> Row:
    values: dict[str, Any] = {}
    for column in SHEETS[sheet]:
        place = places.get(fold(column.name))
        cell = trimmed(cells[place]) if place is not None and place < len(cells) else ""
        if not cell:
            if column.required:
                _tell(data, sheet, number, column.name, "未填写，此项必填，请补充。")
            elif column.read is read_text:
                values[column.name] = ""
            continue
        try:
            values[column.name] = column.read(cell)
        except CellRefused as bad:
            _tell(data, sheet, number, column.name, str(bad))
    return Row(sheet, number, values)


def _check_doubles(data: OpeningData) -> None:
    for sheet, columns in KEYS.items():
        first: dict[tuple[Any, ...], int] = {}
        for row in data.rows[sheet]:
            key = tuple(row[column] for column in columns)
            if None in key:
                continue
            if key in first:
                _tell(
                    data, sheet, row.number, columns[0], f"与第 {first[key]} 行重复，请只保留一行。"
                )
            first.setdefault(key, row.number)
    holders: dict[str, int] = {}
    for row in data.rows["学校"]:
        if row["keyID"] and row["keyID"] in holders:
            text = f"与第 {holders[row['keyID']]} 行相同，一个 keyID 只能属于一个账户。"
            _tell(data, "学校", row.number, "keyID", text)
        holders.setdefault(row["keyID"], row.number)


def _check_spans(data: OpeningData) -> None:
    for sheet, (first, last) in SPANS.items():
        for row in data.rows[sheet]:
            if row[first] and row[last] and row[last] < row[first]:
                _tell(data, sheet, row.number, last, f"早于“{first}”，请核对后改正。")


class _References:
    """What rows say of each other, of the register, and of what is saved."""

    def __init__(self, data: OpeningData, known: Known) -> None:
        self.data = data
        self.schools = {uscc: set(levels) for uscc, levels in known.schools.items()}
        for row in data.rows["学校"]:
            self.schools[row["统一社会信用代码"]] = set(row["培养层次"] or TrainingLevel)
        self.specialties: dict[tuple[str, str], set[TrainingLevel]] = defaultdict(set)
        for school, code, level in known.specialties:
            self.specialties[school, code].add(level)
        for row in data.rows["专业"]:
            if row["培养层次"]:
                self.specialties[row["学校代码"], row["专业代码"]].add(row["培养层次"])
        self.bodies = {row["统一社会信用代码"] for row in data.rows["评价机构"]} | set(known.bodies)
        self.register = set(known.occupations)
        self.register |= {occupation(row) for row in data.rows["评价项目"]}

    def check(self) -> None:
        """Reports every reference that leads nowhere and every level above its cap."""
        for sheet in ("专业", "评估结论", "申报权限", "校企合作"):
            for row in self.data.rows[sheet]:
                if row["学校代码"] and row["学校代码"] not in self.schools:
                    self._tell(row, "学校代码", "不是已登记的学校，请先在“学校”中登记。")
        for sheet in ("评价项目", "校企合作"):
            for row in self.data.rows[sheet]:
                if row["机构代码"] and row["机构代码"] not in self.bodies:
                    self._tell(row, "机构代码", "不是已登记的评价机构，请先在“评价机构”中登记。")
        for row in self.data.rows["专业"]:
            levels = self.schools.get(row["学校代码"])
            if levels and row["培养层次"] and row["培养层次"] not in levels:
                self._tell(row, "培养层次", "不在该校的培养层次之内，请核对后改正。")
        for row in self.data.rows["评估结论"]:
            self._check_specialty(row)
            self._check_project(row)
        for row in self.data.rows["申报权限"]:
            self._check_project(row)
            self._check_permission(row)
        self._check_names()

    def _tell(self, row: Row, column: str, text: str) -> None:
        _tell(self.data, row.sheet, row.number, column, text)

    def _check_specialty(self, row: Row) -> None:
        if not row["专业代码"] or row["学校代码"] not in self.schools:
            return
        levels = self.specialties.get((row["学校代码"], row["专业代码"]), set())
        if not levels:
            self._tell(row, "专业代码", "不是该校的专业，请先在“专业”中登记。")
        elif row["培养层次"] and row["培养层次"] not in levels:
            self._tell(row, "培养层次", "该专业没有这一培养层次，请核对后改正。")
        elif not row["培养层次"] and len(levels) > 1:
            self._tell(row, "培养层次", "该专业有两个培养层次，请填写其中之一。")

    def _check_project(self, row: Row) -> None:
        if row["职业编码"] and row["职业名称"] and occupation(row) not in self.register:
            text = "不在评价项目目录内，或职业编码、职业名称与工种不相符，请对照目录改正。"
            self._tell(row, "职业名称", text)

    def _check_permission(self, row: Row) -> None:
        route, node = row["事项"], row["节点"]
        if route is Route.SKILL_LEVEL and node is None:
            self._tell(row, "节点", "职业技能等级认定须填写节点，请补充。")
        if route is Route.QUALIFICATION and node is not None:
            self._tell(row, "节点", "职业资格鉴定没有节点，请留空。")
        levels = self.schools.get(row["学校代码"])
        if not levels or not row["等级"]:
            return
        cap = min(level.cap for level in levels)
        if any(level < cap for level in row["等级"]):
            text = f"高于该校最高培养层次可申报的等级，最高为{cap.label}，请核对后改正。"
            self._tell(row, "等级", f"{text}依据：沪人社职〔2021〕401号 一。")

    def _check_names(self) -> None:
        """Shows the same code under two names; it is never merged (rulebook 2)."""
        names: dict[str, set[str]] = defaultdict(set)
        for known in self.register:
            names[known.code].add(known.name)
        for row in self.data.rows["评价项目"]:
            others = sorted(names[row["职业编码"]] - {row["职业名称"]}) if row["职业编码"] else []
            if others:
                text = f"同一职业编码另有名称“{'、'.join(others)}”，两者不合并，请核对。"
                _tell(self.data, row.sheet, row.number, "职业名称", text, "warning")


def occupation(row: Row) -> Occupation:
    """The occupation that a row names."""
    return Occupation(row["职业编码"] or "", row["职业名称"] or "", row["工种"] or "")


def projects(row: Row) -> tuple[Project, ...]:
    """The projects that a row names, one for each of its levels."""
    base = occupation(row)
    return tuple(
        Project(base.code, base.name, base.direction, level) for level in row["等级"] or ()
    )
