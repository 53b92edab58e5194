"""Where a roster is in a workbook, and which of its rows are students."""

import io
from datetime import date
from typing import Any

import pytest
import xlwt
from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from tests.files import rosters
from tests.files.rosters import fill, number, saved, student, table, text, xlsx
from tests.unit.importers.reading import Outcome, read

STUDENTS = table(student(1), student(2))
WIDTH = len(STUDENTS[0])


def numbers(outcome: Outcome) -> list[str]:
    return [row.student_no for row in outcome.rows]


def workbook(cells: rosters.Cells) -> tuple[Workbook, Any]:
    book = Workbook()
    fill(book.worksheets[0], cells)
    return book, book.worksheets[0]


def test_facts() -> None:
    facts = read(xlsx(("名册", table(student(1, 备注="x", 宿舍="y"))))).facts
    assert facts is not None
    assert (facts.sheet, facts.header_row, facts.rows) == ("名册", 1, 1)
    assert facts.ignored_columns == ("备注", "宿舍")


@pytest.mark.parametrize(
    ("field", "header"),
    [
        ("学号", "学 号*"),
        ("姓名", " 姓　名＊"),
        ("证件号码", "身份证号"),
        ("证件号码", "身份证\n号码"),
        ("证件号码", "证件号"),
        ("手机号码", "手机号"),
        ("手机号码", "手机"),
        ("手机号码", "联系电话"),
        ("专业名称", "专业"),
        ("毕业年月", "预计毕业年月"),
        ("毕业年月", "毕业时间"),
        ("毕业年月", "毕业日期*"),
    ],
)
def test_headers_and_synonyms(field: str, header: str) -> None:
    cells = table(student(1))
    cells[0] = [header if head == field else head for head in cells[0]]
    assert numbers(read(xlsx(cells))) == ["20240001"]


def test_the_order_of_columns_is_free() -> None:
    cells = [list(reversed(row)) for row in STUDENTS]
    assert numbers(read(xlsx(cells))) == ["20240001", "20240002"]


def test_all_missing_and_repeated_headers_are_named_at_once() -> None:
    outcome = read(xlsx([["学号", "姓名", "专业", "专业名称", "身份证号", "证件号"]]))
    (one,) = outcome.issues
    assert (one.row, one.code) == (None, "file.headers")
    for name in ("手机号码", "毕业年月", "专业名称", "证件号码"):
        assert name in one.message
    assert outcome.rows == []


def test_a_sheet_without_any_header() -> None:
    (one,) = read(xlsx([["某校", 1], ["x", "y"]])).issues
    assert one.code == "file.headers"
    assert all(name in one.message for name in rosters.HEADS)


def test_titles_above_and_blank_rows_between() -> None:
    title = [["示例学校名册"], [], ["制表日期", "2026-10-15"]]
    outcome = read(xlsx([*title, STUDENTS[0], [], STUDENTS[1], ["", " "], STUDENTS[2]]))
    assert [row.row for row in outcome.rows] == [6, 8]
    assert outcome.facts is not None and outcome.facts.header_row == 4


@pytest.mark.parametrize(
    "line",
    [
        ["合计", "2人"],
        ["", "合 计：2"],
        ["备注：以上均为应届"],
        ["说明"],
        ["制表人：示例", "", "审核人：示例"],
        ["审核人"],
    ],
)
def test_totals_and_remarks_are_no_students(line: list[str]) -> None:
    outcome = read(xlsx([*STUDENTS, line]))
    assert len(outcome.rows) == 2
    assert outcome.issues == []
    assert outcome.facts is not None and outcome.facts.rows == 2


def test_a_student_whose_remark_comes_first_is_a_student() -> None:
    cells = [["备注", *STUDENTS[0]], ["说明材料已交", *STUDENTS[1]]]
    assert numbers(read(xlsx(cells))) == ["20240001"]


def test_rows_with_a_serial_number_alone_are_blank() -> None:
    cells = [["序号", *STUDENTS[0]], ["1", *STUDENTS[1]], ["2"], ["3"]]
    assert read(xlsx(cells)).places == []


def test_an_empty_roster_has_no_rows() -> None:
    outcome = read(xlsx(STUDENTS[:1]))
    assert (outcome.rows, outcome.issues) == ([], [])


def test_a_class_merged_over_several_rows() -> None:
    cells = table(student(1, 班级="一班"), student(2), student(3))
    book, sheet = workbook(cells)
    sheet.merge_cells(start_row=2, end_row=3, start_column=WIDTH + 1, end_column=WIDTH + 1)
    assert [row.class_name for row in read(saved(book)).rows] == ["一班", "一班", ""]


def test_a_header_of_two_rows() -> None:
    heads = ["学号", "姓名", "证件信息", "", "手机号码", "专业名称", "毕业年月"]
    lower = ["", "", "证件类型", "证件号码", "", "", ""]
    row = ["20240001", "示例", "居民身份证", number(1), "13800000001", "计算机应用", "2027-06"]
    for merged in (True, False):
        book, sheet = workbook([["名册"], heads, lower, row])
        if merged:
            sheet.merge_cells("C2:D2")
            for column in "ABEFG":
                sheet.merge_cells(f"{column}2:{column}3")
        outcome = read(saved(book))
        assert (numbers(outcome), outcome.issues) == (["20240001"], [])
        assert outcome.facts is not None and outcome.facts.header_row == 3


def test_hidden_rows_are_students_and_said() -> None:
    book, sheet = workbook(STUDENTS)
    sheet.row_dimensions[3].hidden = True
    outcome = read(saved(book))
    assert len(outcome.rows) == 2
    assert outcome.issues == []
    assert outcome.facts is not None and outcome.facts.hidden_rows == 1


def test_hidden_rows_of_an_old_workbook() -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("名册")
    for row, values in enumerate(STUDENTS):
        for column, value in enumerate(values):
            sheet.write(row, column, value)
    sheet.row(1).hidden = True
    out = io.BytesIO()
    book.save(out)
    facts = read(out.getvalue()).facts
    assert facts is not None and (facts.rows, facts.hidden_rows) == (2, 1)


def test_hidden_sheets_are_not_read_and_said() -> None:
    book, _ = workbook(STUDENTS)
    other = book.create_sheet("去年")
    fill(other, STUDENTS)
    other.sheet_state = "hidden"
    outcome = read(saved(book))
    assert len(outcome.rows) == 2
    assert outcome.issues == []
    assert outcome.facts is not None and outcome.facts.hidden_sheets == ("去年",)


def test_several_rosters_have_to_be_chosen_from() -> None:
    data = xlsx(("一班", STUDENTS), ("二班", table(student(3))), ("说明", [["请填写"]]))
    (one,) = read(data).issues
    assert one.code == "file.several-sheets"
    assert "一班" in one.message and "二班" in one.message and "说明" not in one.message
    assert numbers(read(data, sheet="二班")) == ["20240003"]


def test_an_unknown_sheet_is_refused_with_the_names() -> None:
    (one,) = read(xlsx(("一班", STUDENTS)), sheet="三班").issues
    assert (one.code, "一班" in one.message) == ("file.several-sheets", True)


def test_a_list_that_shares_some_columns_is_no_roster() -> None:
    marks = [["学号", "姓名", "专业", "成绩"], ["20240001", "示例", "计算机应用", "60"]]
    assert len(read(xlsx(("成绩", marks), ("名册", STUDENTS))).rows) == 2


@pytest.mark.parametrize(
    ("second", "rows"),
    [
        (student(2, 学号="20240001"), [2]),
        (student(2, 证件号码=number(1)), [2]),
        (student(2, 证件号码=number(1).lower(), 学号="２０２４０００１"), [2]),
        (student(2, 证件号码=number(1), 证件类型="港澳台居民居住证"), [2]),
    ],
)
def test_the_later_of_two_is_refused_once(second: dict[str, Any], rows: list[int]) -> None:
    outcome = read(xlsx(table(student(1, 证件类型=""), second)))
    assert [row.row for row in outcome.rows] == rows
    (one,) = outcome.issues
    assert (one.row, one.column, one.code) == (3, None, "row.duplicate")
    assert "第 2 行" in one.message


def test_a_duplicate_of_a_rejected_row_names_it() -> None:
    outcome = read(xlsx(table(student(1, 手机号码="1"), student(2), student(1))))
    assert outcome.places == [(2, "手机号码", "cell.mobile"), (4, None, "row.duplicate")]
    assert "第 2 行" in outcome.issues[1].message


def test_wrong_numbers_are_no_duplicates() -> None:
    outcome = read(xlsx(table(student(1, 证件号码="123"), student(2, 证件号码="123"))))
    assert [code for _, _, code in outcome.places] == ["cell.id-format"] * 2


@pytest.mark.parametrize("build", [rosters.xlsx, rosters.xls, rosters.ods, rosters.text])
def test_all_formats_read_alike(build: Any) -> None:
    outcome = read(build([["示例学校名册"], *STUDENTS]))
    assert numbers(outcome) == ["20240001", "20240002"]
    assert [row.row for row in outcome.rows] == [3, 4]
    assert outcome.facts is not None and outcome.facts.header_row == 2


@pytest.mark.parametrize("build", [rosters.xls, rosters.ods, rosters.xlsx])
def test_numbers_that_lost_digits_in_every_format(build: Any) -> None:
    outcome = read(build(table(student(1, 证件号码=310104200801020012))))
    assert [code for _, _, code in outcome.places] == ["cell.id-precision-lost"]


def test_dates_of_workbooks_that_count_from_1904() -> None:
    cells = table(student(1, 毕业年月=date(2027, 6, 15)))
    book, _ = workbook(cells)
    book.epoch = CALENDAR_MAC_1904
    for data in (saved(book), rosters.xls(cells), rosters.ods(cells)):
        assert [row.graduates_on for row in read(data).rows] == [date(2027, 6, 15)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_encodings_and_delimiters(encoding: str, delimiter: str) -> None:
    cells = table(student(1, 姓名="张㐱", 班级='一"班"，\n二'))
    (row,) = read(text(cells, encoding, delimiter)).rows
    assert (row.name, row.class_name) == ("张㐱", '一"班"，\n二')


def test_rows_of_a_text_are_counted_as_a_spreadsheet_does() -> None:
    cells = table(student(1, 班级="一\n班"), student(2, 手机号码="1"))
    assert read(text(cells)).places == [(3, "手机号码", "cell.mobile")]


def test_error_values_are_no_texts() -> None:
    book, sheet = workbook(STUDENTS)
    sheet["A2"] = "#N/A"
    sheet["A2"].data_type = "e"
    assert read(saved(book)).places == [(2, "学号", "cell.formula")]


def test_private_use_results_of_gb18030_are_refused_with_the_cell() -> None:
    head, row = table(student(1, 姓名="@@"))
    data = text([head], "gb18030") + text([row], "gb18030").replace(b"@@", b"\xaa\xa1")
    assert read(data).places == [(2, "姓名", "cell.characters")]
