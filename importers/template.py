"""The roster workbook to be filled in: headers, drop-down lists, a field guide."""

from collections.abc import Iterable, Sequence

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from importers.lookups import Context
from importers.roster_fields import FIELDS, LISTS_SHEET
from importers.roster_rows import CHOICES
from importers.written import to_bytes
from school_portal.domain.levels import Level

VERSION = "1"
_LAST_ROW = 5000
_PREPARED_ROWS = 300
_GUIDE_HEADS = ("列名", "是否必填", "也可写作", "填写说明", "示例")
_HEAD_FILL = PatternFill("solid", fgColor="DCE6F1")
_REQUIRED_FONT = Font(bold=True, color="B00020")
_WIDE = frozenset({"证件号码", "证件类型", "专业名称", "申报职业", "评价机构", "手机号码"})

# What each column takes, and an example.
_GUIDE = {
    "学号": ("学校编的学号，同一名册内不得重复。", "20240001"),
    "姓名": ("与证件一致，少数民族姓名可含“·”。", "张示例"),
    "证件类型": ("不填为居民身份证。", "居民身份证"),
    "证件号码": ("以文本格式填写，不要让程序转成数字。", "证件上的号码"),
    "性别": ("不填时按证件号码认定。", "女"),
    "出生日期": ("须写明年月日；不填时按证件号码认定。", "2008-01-02"),
    "民族": ("按证件填写。", "汉族"),
    "手机号码": ("13 至 19 开头的 11 位号码。", "本人的手机号码"),
    "培养层次": ("不填为该专业的培养层次；同一专业兼有中职、高职时必填。", "中职"),
    "专业代码": ("与专业名称一致；有同名专业时必填。", "710201"),
    "专业名称": ("从下拉列表中选择本校专业。", "计算机应用"),
    "班级": ("按学校的叫法填写。", "24计应1班"),
    "入学年月": ("年月或年月日。", "2024-09"),
    "毕业年月": ("年月或年月日；只写年月时按该月最后一天计。", "2027-06"),
    "学籍状态": ("不填为在籍。", "在籍"),
    "学习形式": ("不填为全日制。", "全日制"),
    "申报事项": ("不填为职业技能等级认定。", "职业技能等级认定"),
    "职业编码": ("可与职业名称任填其一；不填职业时按学校已评估的专业对应。", "4-03-02-10"),
    "申报职业": ("按国家职业分类的名称。", "调饮师"),
    "申报工种": ("职业分工种的必填，不分的不填。", ""),
    "申报等级": ("五级、四级、三级、二级或一级。", "四级"),
    "评价机构": ("机构全称或统一社会信用代码；不填时由系统按备案范围匹配。", ""),
}


def roster_template(context: Context) -> bytes:
    """The workbook as xlsx bytes, for the school whose specialties the context has.

    Row 1 of the first sheet holds the headers, `*` after a required one; every column is text.
    """
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "名册"
    _write_heads(sheet)
    _write_guide(book.create_sheet("填写说明"))
    lists = book.create_sheet(LISTS_SHEET)
    lists.sheet_state = "hidden"
    _write_lists(sheet, lists, _choices(context))
    book.properties.title = "学生名册模板"
    book.properties.version = VERSION
    return to_bytes(book)


def _write_heads(sheet: Worksheet) -> None:
    for place, field in enumerate(FIELDS, 1):
        cell = sheet.cell(1, place, field.name + ("*" if field.required else ""))
        cell.fill = _HEAD_FILL
        cell.font = _REQUIRED_FONT if field.required else Font(bold=True)
        column = sheet.column_dimensions[get_column_letter(place)]
        column.width = 22 if field.name in _WIDE else 13
        # Whole columns, so that rows beyond the prepared ones stay text too.
        column.number_format = "@"
    for row in sheet.iter_rows(min_row=2, max_row=_PREPARED_ROWS + 1, max_col=len(FIELDS)):
        for prepared in row:
            prepared.number_format = "@"
    sheet.freeze_panes = "A2"


def _write_guide(sheet: Worksheet) -> None:
    sheet.append(_GUIDE_HEADS)
    for field in FIELDS:
        explanation, example = _GUIDE[field.name]
        required = "是" if field.required else "否"
        sheet.append([field.name, required, "、".join(field.synonyms), explanation, example])
    sheet.append([])
    sheet.append([f"模板版本 {VERSION}"])
    for place, width in enumerate((12, 10, 26, 60, 22), 1):
        sheet.column_dimensions[get_column_letter(place)].width = width
        sheet.cell(1, place).font = Font(bold=True)
    for (cell,) in sheet.iter_rows(min_col=4, max_col=4):
        cell.alignment = Alignment(wrap_text=True, vertical="top")


def _choices(context: Context) -> dict[str, list[str]]:
    fixed = {field: [member.label for member in kind] for field, kind in CHOICES.items()}
    return fixed | {
        "专业代码": _distinct(code for code, _, _ in context.specialties),
        "专业名称": _distinct(name for _, name, _ in context.specialties),
        "职业编码": _distinct(occupation.code for occupation in context.occupations),
        "申报职业": _distinct(occupation.name for occupation in context.occupations),
        "申报工种": _distinct(occupation.direction for occupation in context.occupations),
        "申报等级": [level.label for level in sorted(Level, reverse=True)],
        "评价机构": _distinct(name for _, name in context.bodies),
    }


def _distinct(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(text for text in texts if text))


def _write_lists(sheet: Worksheet, lists: Worksheet, choices: dict[str, list[str]]) -> None:
    """Drop-downs refer to the hidden sheet: a list in the cell itself ends at 255 characters."""
    names = [field.name for field in FIELDS]
    for column, (name, texts) in enumerate(choices.items(), 1):
        if not texts:
            continue
        _write_column(lists, column, texts)
        letter = get_column_letter(column)
        source = f"{LISTS_SHEET}!${letter}$1:${letter}${len(texts)}"
        # Other spellings are read too, so the list offers and does not forbid.
        rule = DataValidation(
            type="list", formula1=source, allow_blank=True, showErrorMessage=False
        )
        target = get_column_letter(names.index(name) + 1)
        rule.add(f"{target}2:{target}{_LAST_ROW}")
        sheet.add_data_validation(rule)


def _write_column(sheet: Worksheet, column: int, texts: Sequence[str]) -> None:
    for row, text in enumerate(texts, 1):
        write_text(sheet, row, column, text)


def write_text(sheet: Worksheet, row: int, column: int, text: str) -> None:
    """Writes a text as text, one that begins with `=` too."""
    cell = sheet.cell(row, column)
    cell.value = text
    cell.data_type = "s"
    cell.number_format = "@"
