"""The workbooks that people fill in: headers, lists to choose from, a guide on a second sheet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from importers.opening import SHEETS
from importers.roster_fields import FIELDS
from school_portal.domain.identifiers import DocumentType, Sex
from school_portal.domain.labels import LabelledEnum
from school_portal.domain.levels import Level, TrainingLevel
from school_portal.domain.roster import Enrolment, Route, StudyMode

VERSION = "2026-11"
TEXT = "@"
LISTS_SHEET = "可选项"
GUIDE_SHEET = "填写说明"
PREPARED_ROWS = 2000
_HEAD = PatternFill("solid", fgColor="DCE6F5")


def _labels(enumeration: type[LabelledEnum]) -> list[str]:
    return [member.label for member in enumeration]


CHOICES: Mapping[str, Sequence[str]] = {
    "证件类型": _labels(DocumentType),
    "性别": _labels(Sex),
    "培养层次": _labels(TrainingLevel),
    "学籍状态": _labels(Enrolment),
    "学习形式": _labels(StudyMode),
    "申报事项": _labels(Route),
    "申报等级": [level.label for level in sorted(Level, reverse=True)],
}
GUIDES: Mapping[str, str] = {
    "学号": "本校学号，同一学校内不重复。",
    "姓名": "与证件一致，少数民族姓名的间隔号“·”和生僻字照原样填写。",
    "证件类型": "不填视为居民身份证。",
    "证件号码": "以文本格式填写完整号码；以数字格式保存的号码会丢失末尾几位，系统不予接收。",
    "性别": "可不填；填写的须与证件号码一致。",
    "出生日期": "可不填；填写的须与证件号码一致，如 2009-03-14。",
    "民族": "如汉族。",
    "手机号码": "13 至 19 开头的 11 位号码。",
    "培养层次": "不填视为该专业的培养层次；专业有两个层次时须填写。",
    "专业代码": "本校专业代码；专业名称不唯一时须填写。",
    "专业名称": "本校专业目录中的名称。",
    "班级": "选填。",
    "入学年月": "如 2024-09。",
    "毕业年月": "预计毕业的年月，如 2027-06；可写到日，未写日的视为当月最后一天。",
    "学籍状态": "不填视为在籍。",
    "学习形式": "不填视为全日制。",
    "申报事项": "不填视为职业技能等级认定。",
    "职业编码": "如 4-03-02-10；职业名称唯一时可不填。",
    "申报职业": "不填则按该专业已通过的评估结论确定；有多个时须填写。",
    "申报工种": "职业分工种的须填写，与目录一致；整个职业的留空。",
    "申报等级": "如四级、4 或中级工。",
    "评价机构": "机构全称或统一社会信用代码；有多个机构可选时须填写或在平台上选定。",
}


def roster_template(lists: Mapping[str, Sequence[str]]) -> bytes:
    """The roster workbook (xlsx), all text; `lists` adds what a column's cells may be chosen from."""
    book = Workbook()
    sheet: Any = book.active
    sheet.title = "名册"
    titles = [f"{one.name}*" if one.required else one.name for one in FIELDS]
    _write_head(sheet, titles)
    _offer(book, sheet, [lists.get(one.name) or CHOICES.get(one.name, ()) for one in FIELDS])
    guide = book.create_sheet(GUIDE_SHEET)
    _write_head(guide, ["列名", "是否必填", "填写说明", "也可写作"])
    for one in FIELDS:
        required = "必填" if one.required else "选填"
        guide.append([one.name, required, GUIDES[one.name], "、".join(one.synonyms)])
    guide.append([])
    guide.append([f"模板版本：{VERSION}。请勿把证件号码、手机号码改成数字格式。"])
    for letter, width in zip("ABCD", (18, 10, 60, 36), strict=True):
        guide.column_dimensions[letter].width = width
        for cell in guide[letter]:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    return _saved(book)


def opening_template() -> bytes:
    """The opening-data workbook: one sheet each, header in row 1, text cells."""
    book = Workbook()
    del book["Sheet"]
    for name, columns in SHEETS.items():
        sheet: Any = book.create_sheet(name)
        _write_head(sheet, [column.name for column in columns])
        for place, column in enumerate(columns, 1):
            if column.example:
                sheet.cell(1, place).comment = Comment(f"例如：{column.example}", "模板")
        _as_text(sheet, len(columns))
    return _saved(book)


def _write_head(sheet: Any, titles: Sequence[str]) -> None:
    sheet.append(list(titles))
    for place, title in enumerate(titles, 1):
        cell = sheet.cell(1, place)
        cell.font, cell.fill = Font(bold=True), _HEAD
        sheet.column_dimensions[get_column_letter(place)].width = max(12, 2.4 * len(title))
    sheet.freeze_panes = "A2"


def _as_text(sheet: Any, columns: int) -> None:
    """Whole columns as text: what is typed stays as it was typed, 18 digits too."""
    for place in range(1, columns + 1):
        sheet.column_dimensions[get_column_letter(place)].number_format = TEXT
        for row in range(2, 202):
            sheet.cell(row, place).number_format = TEXT


def _offer(book: Workbook, sheet: Any, lists: Iterable[Sequence[str]]) -> None:
    """Drop-down lists; they refer to a hidden sheet, for a list in place ends at 255 characters."""
    hidden: Any = book.create_sheet(LISTS_SHEET)
    hidden.sheet_state = "hidden"
    columns = list(lists)
    _as_text(sheet, len(columns))
    for place, values in enumerate(columns, 1):
        if not values:
            continue
        letter = get_column_letter(place)
        for row, value in enumerate(values, 1):
            cell = hidden.cell(row, place)
            cell.value, cell.data_type, cell.number_format = value, "s", TEXT
        chosen = DataValidation(
            type="list",
            formula1=f"'{LISTS_SHEET}'!${letter}$1:${letter}${len(values)}",
            allow_blank=True,
            showErrorMessage=False,
        )
        chosen.add(f"{letter}2:{letter}{PREPARED_ROWS}")
        sheet.add_data_validation(chosen)


def _saved(book: Workbook) -> bytes:
    content = BytesIO()
    book.save(content)
    return content.getvalue()
