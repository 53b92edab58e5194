"""Which rows are students, and which sheets hold any."""

from datetime import date, time
from typing import Any

import pytest

from tests.files import rosters
from tests.files.hostile import rezipped
from tests.files.rosters import number, student, table, text, xlsx
from tests.unit.importers.reading import Outcome, read
from tests.unit.importers.test_roster_sheets import fill, saved, workbook

STUDENTS = table(student(1), student(2))
HEADS = STUDENTS[0]
WIDE = table(
    student(1, 性别="", 培养层次="中职", 学籍状态="在籍", 学习形式="全日制", 申报等级="四级")
)


def below(**cells: Any) -> list[Any]:
    """A row of WIDE's columns with these cells alone."""
    return [cells.get(head, "") for head in WIDE[0]]


def taken(outcome: Outcome) -> tuple[int, int]:
    return len(outcome.rows), len(outcome.rejected)


def with_errors(data: bytes) -> bytes:
    """Cells that hold `=1+1` become error values."""

    def error(name: str, content: bytes) -> bytes:
        for value in (b"<v></v>", b"<v />", b"<v/>"):
            content = content.replace(b"<f>1+1</f>" + value, b"<f>1+1</f><v>#VALUE!</v>")
        return content.replace(b'"><f>1+1', b'" t="e"><f>1+1')

    return rezipped(data, error)


@pytest.mark.parametrize(
    "row",
    [
        below(学籍状态="在籍"),
        below(培养层次="中职", 学籍状态="在籍", 学习形式="全日制", 申报等级="四级"),
        below(性别="#VALUE!"),
        below(学号=0, 姓名=0, 证件号码=0, 手机号码=0, 专业名称=0, 毕业年月=0),
        below(学号="0", 姓名="0", 毕业年月="1900-01", 学籍状态="在籍"),
        below(毕业年月="1900/1/0"),
        below(毕业年月="1899-12-31"),
        below(姓名="#N/A", 专业名称="#N/A"),
        below(学号="#REF!", 姓名="#REF!", 证件号码="#REF!", 手机号码="#REF!"),
        below(学号="\u200b", 姓名="'", 学籍状态="在籍"),
        below(姓名="'0"),
    ],
)
@pytest.mark.parametrize("build", [rosters.xlsx, rosters.text, rosters.ods])
def test_what_is_prepared_below_the_data_is_nobody(build: Any, row: list[Any]) -> None:
    outcome = read(build([*WIDE, *[row] * 30]))
    assert (taken(outcome), outcome.issues) == ((1, 0), [])
    assert outcome.facts is not None and outcome.facts.rows == 1


@pytest.mark.parametrize("value", [date(1899, 12, 31), date(1900, 1, 1), time()])
def test_a_prepared_date_shows_the_day_0(value: Any) -> None:
    assert taken(read(xlsx([*WIDE, below(毕业年月=value)]))) == (1, 0)


@pytest.mark.parametrize("column", ["性别", "毕业年月", "姓名", "学号"])
def test_error_values_below_the_data(column: str) -> None:
    data = with_errors(xlsx([*WIDE, *[below(**{column: "=1+1", "学籍状态": "在籍"})] * 20]))
    outcome = read(data)
    assert (taken(outcome), outcome.issues) == ((1, 0), [])


def test_formulas_without_values_are_prepared_where_they_name_nobody() -> None:
    outcome = read(xlsx([*WIDE, below(性别="=1+1", 专业名称="=1+1", 毕业年月="=1+1")]))
    assert (taken(outcome), outcome.issues) == ((1, 0), [])


@pytest.mark.parametrize("column", ["学号", "姓名", "证件号码"])
def test_a_formula_without_value_that_would_name_a_student_is_never_silent(column: str) -> None:
    outcome = read(xlsx([*WIDE, below(**{column: "=1+1"})]))
    assert taken(outcome) == (1, 1)
    assert (3, column, "cell.formula") in outcome.places


@pytest.mark.parametrize(
    "row",
    [
        below(姓名="示例"),
        below(学号="20240009"),
        below(证件号码=number(9)),
        below(手机号码="13800000009"),
        below(专业名称="计算机应用"),
        below(姓名="示例", 学号=0, 专业名称="#N/A"),
    ],
)
def test_a_row_with_anything_required_is_a_student_with_errors(row: list[Any]) -> None:
    outcome = read(text([*WIDE, row]))
    assert taken(outcome) == (1, 1)
    assert {line for line, _, _ in outcome.places} == {3}


BROKEN = below(学号="#REF!", 姓名="#REF!", 证件号码="#REF!")


def test_a_broken_row_before_a_student_is_told() -> None:
    outcome = read(text([*WIDE, BROKEN, below(), student_row(2), BROKEN]))
    assert taken(outcome) == (2, 1)
    assert {line for line, _, _ in outcome.places} == {3}
    assert (3, "姓名", "cell.formula") in outcome.places


def student_row(serial: int) -> list[Any]:
    return below(**student(serial))


def test_a_roster_of_broken_rows_alone_is_told() -> None:
    outcome = read(text([WIDE[0], BROKEN, BROKEN]))
    assert (len(outcome.rows), len(outcome.rejected)) == (0, 2)


@pytest.mark.parametrize(
    "words",
    [
        *("合计", "总计", "小计", "小计：30", "共 30 人", "共30人", "共计３０人", "共三十名学生"),
        *("备注：示例", "注：示例", "注1", "注", "说明", "制表人：示例", "填表人"),
        *(
            "审核人（签字）",
            "负责人：",
            "签字：",
            "以下空白",
            "（以下空白）",
            "——以下空白——",
            "*注：示例",
            "总 计",
        ),
        "以\u200b下空白",
    ],
)
@pytest.mark.parametrize("place", [0, 1, 4])
def test_what_closes_a_table_is_no_student(words: str, place: int) -> None:
    line = [*[""] * place, words, "2", "", "示例"]
    outcome = read(xlsx([*STUDENTS, line, [], line]))
    assert (taken(outcome), outcome.issues) == ((2, 0), [])


@pytest.mark.parametrize("group", ["注册会计班", "说明书班", "共1人班", "小计算机班", "总计划班"])
def test_a_student_of_a_class_that_begins_like_a_total(group: str) -> None:
    cells = [["班级", *HEADS], [group, *STUDENTS[1]]]
    assert taken(read(xlsx(cells))) == (1, 0)
    # Without document number it is told, not passed over.
    cells[1][cells[0].index("证件号码")] = ""
    assert read(xlsx(cells)).places == [(2, "证件号码", "cell.required")]


def test_a_student_of_such_a_class_whose_number_is_missing_is_told() -> None:
    cells = [["班级", *HEADS], ["说明班", *STUDENTS[1]]]
    cells[1][cells[0].index("学号")] = ""
    assert read(xlsx(cells)).places == [(2, "学号", "cell.required")]


def test_a_day_beside_a_signature_makes_no_student() -> None:
    cells = [["班级", *HEADS], ["一班", *STUDENTS[1]], ["填表人：示例", "20261015"]]
    assert taken(read(xlsx(cells))) == (1, 0)


@pytest.mark.parametrize("name", ["注示例", "共示例", "说明示例"])
def test_a_student_of_such_a_name(name: str) -> None:
    order = ["姓名", *(head for head in HEADS if head != "姓名")]
    row = student(1, 姓名=name)
    assert taken(read(xlsx([order, [row[head] for head in order]]))) == (1, 0)


GUIDE = [
    ["填写说明"],
    HEADS,
    ["必填，10 位以内", "与证件一致", "18 位，末位可为 X", "11 位", "见目录", "如 2027-06"],
]


@pytest.mark.parametrize(
    "other",
    [
        [HEADS],
        [["空表"], [], HEADS, [], ["备注：示例"]],
        [HEADS, ["", "", "", "", "计算机应用", "2027-06"]],
        [HEADS, ["填表人：示例", "", "", "13800000001"]],
        GUIDE,
        [["学号", "姓名", "证件号码", "手机号码", "专业名称"]],
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_a_sheet_without_students_is_no_roster(other: rosters.Cells, first: bool) -> None:
    sheets = [("名册", STUDENTS), ("另一张", other)]
    outcome = read(xlsx(*(sheets if not first else reversed(sheets))))
    assert (taken(outcome), outcome.issues) == ((2, 0), [])
    assert outcome.facts is not None and outcome.facts.sheet == "名册"


def test_blank_rosters_alone_are_one_blank_roster() -> None:
    outcome = read(xlsx(("一班", [HEADS]), ("二班", [HEADS])))
    assert (taken(outcome), outcome.issues) == ((0, 0), [])


def test_students_without_some_column_are_not_passed_over_for_a_blank_roster() -> None:
    cells = [row[:-1] for row in STUDENTS]
    (one,) = read(xlsx(("空白", [HEADS]), ("名册", cells))).issues
    assert (one.code, "毕业年月" in one.message) == ("file.headers", True)


def test_a_second_roster_of_broken_rows_is_one() -> None:
    data = xlsx(("一班", STUDENTS), ("二班", [HEADS, ["#REF!"] * len(HEADS)]))
    assert [one.code for one in read(data).issues] == ["file.several-sheets"]


def test_a_second_roster_of_formulas_without_values_is_one() -> None:
    book, _ = workbook(STUDENTS)
    fill(book.create_sheet("二班"), [HEADS, ["=1+1"] * len(HEADS)])
    assert [one.code for one in read(saved(book)).issues] == ["file.several-sheets"]
