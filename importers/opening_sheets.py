"""The sheets of the opening-data workbook (contract, "Opening data workbook"): what they hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from importers.cells import parse_date
from school_portal.domain.facts import Basis, BodyState, BodyType, Node
from school_portal.domain.identifiers import uscc_is_valid
from school_portal.domain.labels import LabelledEnum, fold
from school_portal.domain.levels import Level, TrainingLevel, parse_level
from school_portal.domain.roster import Route
from school_portal.domain.texts import trimmed


class CellRefused(Exception):
    """A cell that cannot be read; the text says why and what to do."""


def read_text(value: str) -> str:
    """A text as it stands; an empty cell is an empty text."""
    return trimmed(value)


def _uscc(value: str) -> str:
    code = fold(value).upper()
    if not uscc_is_valid(code):
        raise CellRefused("不是有效的统一社会信用代码（18 位，末位为校验码），请核对原件后改正。")
    return code


def _code(value: str) -> str:
    return fold(value)


def _date(value: str) -> date:
    found = parse_date(value)
    if found is None or not found.exact:
        raise CellRefused("不是有效的日期，请按 2026-10-15 的样式填写。")
    return found.day


def _levels(value: str) -> tuple[Level, ...]:
    levels = [parse_level(part) for part in re.split(r"[、，,;；/\s]+", value.strip("、，, "))]
    if None in levels:
        raise CellRefused("不是技能等级，请按 5、4、3 的样式填写。")
    return tuple(dict.fromkeys(level for level in levels if level))


def _training_levels(value: str) -> tuple[TrainingLevel, ...]:
    return tuple(
        dict.fromkeys(_one_of(TrainingLevel)(part) for part in re.split("[、，,/]", value))
    )


def _one_of(enumeration: type[LabelledEnum]) -> Callable[[str], Any]:
    def read(value: str) -> Any:
        found = enumeration.from_label(value)
        if found is None:
            labels = "、".join(member.label for member in enumeration)
            raise CellRefused(f"不在可选项内，请填写以下之一：{labels}。")
        return found

    return read


@dataclass(frozen=True, slots=True)
class Column:
    """A column: how its cells read, whether a cell may be empty, whether it may be absent."""

    name: str
    read: Callable[[str], Any]
    required: bool = True
    optional_column: bool = False
    example: str = ""


_PROJECT = (
    Column("职业编码", _code, example="4-03-02-10"),
    Column("职业名称", read_text, example="调饮师"),
    Column("工种", read_text, required=False),
    Column("等级", _levels, example="5、4、3"),
)


def _project(*, before: Iterable[Column], after: Iterable[Column]) -> tuple[Column, ...]:
    return (*before, *_PROJECT, *after)


_SCHOOL = Column("学校代码", _uscc)
_BODY = Column("机构代码", _uscc)

SHEETS: Mapping[str, tuple[Column, ...]] = {
    "学校": (
        Column("统一社会信用代码", _uscc),
        Column("学校名称", read_text),
        Column("所属区", read_text, required=False),
        Column("法人代表", read_text, required=False),
        Column("培养层次", _training_levels, example="中职、高职"),
        Column("keyID", read_text, required=False),
        Column("开户日期", _date, required=False),
    ),
    "专业": (
        _SCHOOL,
        Column("专业代码", _code),
        Column("专业名称", read_text),
        Column("培养层次", _one_of(TrainingLevel), example="中职"),
    ),
    "评价机构": (
        Column("统一社会信用代码", _uscc),
        Column("机构名称", read_text),
        Column("机构类型", _one_of(BodyType), example="社会培训评价组织"),
        Column("所属区", read_text, required=False),
        Column("备案编号", read_text, required=False),
        Column("备案起", _date, required=False),
        Column("备案止", _date, required=False),
        Column("状态", _one_of(BodyState), required=False, example="有效"),
        Column("状态日期", _date, required=False),
    ),
    "评价项目": _project(
        before=(_BODY,),
        after=(
            Column(
                "评价依据",
                _one_of(Basis),
                required=False,
                optional_column=True,
                example="国家职业标准",
            ),
        ),
    ),
    "评估结论": _project(
        before=(_SCHOOL, Column("专业代码", _code)),
        after=(
            Column("生效日期", _date, required=False),
            Column("失效日期", _date, required=False),
            Column("培养层次", _one_of(TrainingLevel), required=False, optional_column=True),
        ),
    ),
    "申报权限": _project(
        before=(
            _SCHOOL,
            Column("事项", _one_of(Route), example="职业技能等级认定"),
            Column("节点", _one_of(Node), required=False, example="社会评价组织等级认定"),
        ),
        after=(
            Column("开通日期", _date, required=False),
            Column("终止日期", _date, required=False),
        ),
    ),
    "校企合作": (
        _SCHOOL,
        _BODY,
        Column("起", _date, required=False),
        Column("止", _date, required=False),
    ),
}

# In the contract, and of no use to the portal yet.
UNUSED = ("考核点", "考评人员")
# Stands behind the name of a sheet that is hidden.
HIDDEN = "（已隐藏）"

# By sheet: the columns that name a row, and the columns of its first and last day.
KEYS: Mapping[str, tuple[str, ...]] = {
    "学校": ("统一社会信用代码",),
    "专业": ("学校代码", "专业代码", "培养层次"),
    "评价机构": ("统一社会信用代码",),
}
SPANS: Mapping[str, tuple[str, str]] = {
    "评价机构": ("备案起", "备案止"),
    "评估结论": ("生效日期", "失效日期"),
    "申报权限": ("开通日期", "终止日期"),
    "校企合作": ("起", "止"),
}
