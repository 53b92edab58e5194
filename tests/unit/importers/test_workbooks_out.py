"""The template, and the workbook of corrections."""

import io
from typing import Any

import pytest
import xlwt
from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment

from importers.corrections import AUTHOR, NOTES_SHEET, REASONS_HEAD, annotated
from importers.limits import LIMITS
from importers.roster_fields import FIELDS
from importers.template import roster_template
from importers.workbook import open_book
from school_portal.domain.violations import Issue, issue
from tests.files import hostile, old, packages, rosters
from tests.files.rosters import CONTEXT, fill, number, saved, student, table, xlsx
from tests.unit.importers.reading import Outcome, read


def corrected(data: bytes) -> tuple[Workbook, Outcome]:
    outcome = read(data)
    sheet = outcome.facts.sheet if outcome.facts else None
    return load_workbook(io.BytesIO(annotated(data, sheet, outcome.issues, LIMITS))), outcome


def comments(sheet: Any) -> dict[str, str]:
    return {c.coordinate: c.comment.text for row in sheet for c in row if c.comment}


def test_the_template_is_an_empty_roster() -> None:
    outcome = read(roster_template(CONTEXT))
    assert (outcome.rows, outcome.issues) == ([], [])
    assert outcome.facts is not None
    assert (outcome.facts.header_row, outcome.facts.rows, outcome.facts.ignored_columns) == (
        1,
        0,
        (),
    )


def test_the_filled_template_is_read() -> None:
    book = load_workbook(io.BytesIO(roster_template(CONTEXT)))
    sheet = book.worksheets[0]
    heads = [str(cell.value).rstrip("*") for cell in sheet[1]]
    assert heads == [field.name for field in FIELDS]
    assert [cell.value for cell in sheet[1] if "*" in str(cell.value)] == [
        f"{field.name}*" for field in FIELDS if field.required
    ]
    for head, value in student(1, 申报等级="四级/中级工").items():
        cell = sheet.cell(2, heads.index(head) + 1)
        assert cell.number_format == "@"
        cell.value = value
    assert [row.document_number for row in read(saved(book)).rows] == [number(1)]


def test_long_lists_are_kept_on_a_hidden_sheet() -> None:
    book = load_workbook(io.BytesIO(roster_template(CONTEXT)))
    assert [sheet.sheet_state for sheet in book.worksheets] == ["visible", "visible", "hidden"]
    rules = book.worksheets[0].data_validations.dataValidation
    assert all(rule.formula1.startswith("选项!$") for rule in rules)
    names = [cell.value for row in book["选项"] for cell in row]
    assert {"计算机应用", "调饮师", "示例社评组织", "居民身份证"} <= set(names)


@pytest.mark.parametrize("build", [rosters.xlsx, rosters.xls, rosters.ods, rosters.text])
def test_wrong_cells_come_back_red_with_a_comment_and_reasons(build: Any) -> None:
    cells = [["名册"], *table(student(1), student(2, 手机号码="1"), student(2, 学号="20240009"))]
    book, outcome = corrected(build(cells))
    sheet = book.worksheets[0]
    assert sheet["D4"].value == "1"
    assert sheet["D4"].fill.fgColor.rgb == "FFFFC7CE"
    assert comments(sheet) == {"D4": outcome.issues[0].message}
    assert sheet.cell(2, 7).value == REASONS_HEAD
    assert [sheet.cell(row, 7).value for row in (3, 4, 5)] == [
        None,
        outcome.issues[0].message,
        outcome.issues[1].message,
    ]


@pytest.mark.parametrize("build", [rosters.xlsx, rosters.text])
def test_a_remark_is_told_beside_its_row_and_reddens_nothing(build: Any) -> None:
    book, outcome = corrected(build(table(student(1, 姓名="张 三"), student(2, 手机号码="'1"))))
    assert len(outcome.rows) == 1
    sheet = book.worksheets[0]
    reasons = [str(row[-1].value) for row in sheet.iter_rows(min_row=2)]
    assert [text.count("\n") + 1 for text in reasons] == [1, 2]
    assert "按“张三”读取" in reasons[0]
    assert list(comments(sheet)) == ["D3"]


def test_earlier_marks_are_replaced() -> None:
    book, _ = corrected(xlsx(table(student(1, 手机号码="1"), student(2, 毕业年月="x"))))
    book.worksheets[0]["D2"].value = "13800000001"
    again, outcome = corrected(saved(book))
    sheet = again.worksheets[0]
    assert [one.row for one in outcome.issues] == [3]
    assert list(comments(sheet)) == ["F3"]
    assert sheet["D2"].fill.fill_type is None
    assert [cell.value for cell in sheet["G"]] == [REASONS_HEAD, None, outcome.issues[0].message]
    assert sheet.max_column == 7


def test_other_sheets_and_other_peoples_comments_stay() -> None:
    book = Workbook()
    fill(book.worksheets[0], table(student(1, 手机号码="1")))
    book.worksheets[0]["A2"].comment = Comment("校对过", "老师")
    fill(book.create_sheet("附页"), [["内容"]])
    back, _ = corrected(saved(book))
    assert back["附页"]["A1"].value == "内容"
    assert comments(back.worksheets[0])["A2"] == "校对过"
    assert back.worksheets[0]["D2"].comment.author == AUTHOR


def test_no_text_becomes_a_formula_and_no_formula_stays_one() -> None:
    def stored(name: str, content: bytes) -> bytes:
        return content.replace(b"<f>1+1</f><v></v>", b"<f>1+1</f><v>7</v>").replace(
            b"<f>1+1</f><v />", b"<f>1+1</f><v>7</v>"
        )

    book = Workbook()
    sheet = book.worksheets[0]
    fill(sheet, table(student(1, 手机号码="1", 班级="@", 备注="=1+1")))
    sheet["G2"].value = "=cmd()"
    sheet["G2"].data_type = "s"
    data = hostile.rezipped(saved(book), stored)
    for content in (data, rosters.text(table(student(1, 手机号码="1", 班级="=cmd()")))):
        back = corrected(content)[0].worksheets[0]
        assert (back["G2"].value, back["G2"].data_type) == ("=cmd()", "s")
    assert corrected(data)[0].worksheets[0]["H2"].value == 7


def test_what_is_wrong_with_the_file_comes_first() -> None:
    book, outcome = corrected(xlsx([["学号", "姓名"], ["1", "示例"]]))
    assert book.sheetnames[0] == NOTES_SHEET
    assert outcome.issues[0].message in [cell.value for cell in book.worksheets[0]["A"]]
    assert book.worksheets[1]["A2"].value == "1"


def test_a_mark_on_a_merged_cell_goes_to_its_first() -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    fill(sheet, table(student(1, 性别="？"), student(2)))
    sheet.merge_cells("G2:G3")
    back, outcome = corrected(saved(book))
    assert [one.row for one in outcome.issues] == [2, 3]
    assert list(comments(back.worksheets[0])) == ["G2"]


def test_nothing_of_a_roster_is_written_to_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a temporary file")

    files = [hostile.good_xlsx(), rosters.text(table(student(1)))]
    monkeypatch.setattr("openpyxl.worksheet._writer.NamedTemporaryFile", refuse)
    for data in files:
        assert annotated(data, None, [issue("file.headers", detail="x")], LIMITS)
    assert roster_template(CONTEXT)


@pytest.mark.parametrize("build", [rosters.xlsx, rosters.xls])
def test_what_no_workbook_holds_is_in_no_mark(build: Any) -> None:
    """A mark quotes what was written, and a damaged or hostile file has controls there."""
    found = [
        Issue(2, "学号", "error", "cell.choice", "填写的“甲\x00\x0b\ud800乙”不在范围内"),
        Issue(None, None, "error", "file.headers", "找到“丙\x1f\uffff”"),
    ]
    data = build(table(student(1)))
    book = load_workbook(io.BytesIO(annotated(data, "名册", found, LIMITS)))
    texts = [str(cell.value) for sheet in book for row in sheet for cell in row]
    texts += [text for sheet in book for text in comments(sheet).values()]
    assert sum("甲" in text and "乙”不在范围内" in text for text in texts) == 2
    assert sum("找到“丙" in text for text in texts) == 1


def test_a_sheets_name_of_controls_is_written_as_a_workbook_can_have_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cells = table(student(1))
    monkeypatch.setattr(xlwt.Utils, "valid_sheet_name", lambda name: True)
    data = rosters.xls(cells, name="一\x0b班")
    [name] = [sheet.name for sheet in open_book(data, LIMITS).sheets]
    book = load_workbook(io.BytesIO(annotated(data, name, [], LIMITS)))
    assert [sheet.title for sheet in book.worksheets] == ["一_班"]


WRONG = table(student(1, 手机号码="1"), student(2))
ATTENDANCE = [[f"第{day}天" for day in range(400)]]


def test_a_wide_sheet_beside_the_roster_comes_back_too() -> None:
    book, _ = corrected(xlsx(("名册", WRONG), ("考勤", ATTENDANCE)))
    assert book.sheetnames == ["名册", "考勤"]
    assert book["考勤"].cell(1, 400).value == "第399天"
    assert book["名册"].cell(2, 4).comment is not None


def test_a_sheet_that_could_not_be_read_is_named_where_the_book_is_written_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importers.corrections._MOST_CELLS_IN_PLACE", 0)
    book, _ = corrected(xlsx(("名册", WRONG), ("考勤", ATTENDANCE)))
    assert book.sheetnames == [NOTES_SHEET, "名册"]
    assert any("考勤" in str(row[0].value) for row in book[NOTES_SHEET])


@pytest.mark.parametrize("area", ["G1:XFD1048576", "A1:XFD1"])
def test_ranges_merged_far_beyond_the_data(area: str) -> None:
    after = f'<mergeCells><mergeCell ref="{area}"/></mergeCells>'
    lines = packages.row(1, "名册") + packages.rows(WRONG, 2)
    book, _ = corrected(packages.book(packages.sheet(lines, after=after)))
    assert "D3" in comments(book["表1"])


def test_reasons_stand_beside_what_the_sheet_holds() -> None:
    lines = packages.rows(WRONG) + '<row r="1048576"><c r="XFD1048576" s="0"/></row>'
    book, _ = corrected(packages.book(packages.sheet(lines)))
    assert book["表1"].cell(1, len(WRONG[0]) + 1).value == REASONS_HEAD


def test_a_book_that_excel_locked_comes_back_open() -> None:
    locked = old.locked_xlsx(xlsx(("名册", WRONG), ("说明", [["x"]])))
    book, _ = corrected(locked)
    assert book.sheetnames == ["名册", "说明"]
    assert "D2" in comments(book["名册"])
