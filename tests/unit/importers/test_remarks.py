"""What is taken off or looks odd, and said without refusing anything."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers.cells import is_error_text, says_nothing, unguarded
from importers.roster_fields import HEADER_DEPTH
from tests.files import rosters
from tests.files.rosters import number, student, table, text, xlsx
from tests.unit.importers.reading import Outcome, check, read

SPACES, MARK, QUESTION = "cell.name-spaces", "cell.text-mark", "cell.question-mark"


def remarks(outcome: Outcome) -> list[tuple[str | None, str]]:
    """Columns and codes of the remarks; each names its row."""
    found = [one for one in outcome.issues if one.severity == "warning"]
    assert all(one.row == 2 for one in found)
    return [(one.column, one.code) for one in found]


def as_text(build: Any, cells: rosters.Cells) -> bytes:
    """Written as text, where a workbook would take a formula."""
    if build is rosters.text:
        return rosters.text(cells)
    book = rosters.Workbook()
    sheet = book.worksheets[0]
    for place, values in enumerate(cells, 1):
        for column, value in enumerate(values, 1):
            cell = sheet.cell(place, column, value)
            cell.data_type = "s"
    return rosters.saved(book)


@pytest.mark.parametrize(
    ("written", "name", "found"),
    [
        ("张 三", "张三", [SPACES]),
        ("张\n三", "张三", [SPACES]),
        ("张\u202c三", "张三", [SPACES]),
        ("张　\u200b三\n", "张三", [SPACES]),
        ("Anna Maria", "Anna Maria", []),
        ("Anna\nMaria", "Anna Maria", [SPACES]),
        ("买买提·示例", "买买提·示例", []),
        ("张?", "张?", [QUESTION]),
        ("张？", "张？", [QUESTION]),
        ("??", "??", [QUESTION]),
        ("'张三", "张三", [MARK]),
        ("'张 ?", "张?", [SPACES, MARK, QUESTION]),
        ('="张三"', "张三", [MARK]),
        ('="张 三"', "张三", [SPACES, MARK]),
    ],
)
@pytest.mark.parametrize("build", [rosters.xlsx, rosters.text])
def test_a_name_and_what_is_said_of_it(
    build: Any, written: str, name: str, found: list[str]
) -> None:
    outcome = read(as_text(build, table(student(1, 姓名=written))))
    assert [row.name for row in outcome.rows] == [name]
    assert remarks(outcome) == [("姓名", code) for code in found]


@pytest.mark.parametrize(
    "name", ["\u200e", "\u2066\u2069", "\u3164", " \n", "\ufeff\u00ad", "'", '=""']
)
def test_a_name_of_marks_alone_is_empty(name: str) -> None:
    outcome = read(text(table(student(1, 姓名=name))))
    assert outcome.places == [(2, "姓名", "cell.required")]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("学号", "20240001"),
        ("证件号码", number(1)),
        ("手机号码", "13800000001"),
        ("专业名称", "计算机应用"),
        ("毕业年月", "2027-06"),
        ("班级", "一班"),
        ("申报等级", "四级"),
        ("性别", "男"),
    ],
)
@pytest.mark.parametrize("guard", ["'{}", '="{}"', "＇{}", "‘{}", "’{}’", ' ="{}" ', '= "{}"'])
@pytest.mark.parametrize("build", [rosters.xlsx, rosters.text])
def test_a_guard_is_taken_off_every_column(build: Any, guard: str, field: str, value: str) -> None:
    plain = read(build(table(student(1, **{field: value}))))
    cells = table(student(1, **{field: guard.format(value)}))
    guarded = read(as_text(build, cells))
    assert guarded.rows == plain.rows
    assert remarks(guarded) == [(field, MARK)]
    assert number(1) not in guarded.issues[0].message


def test_guards_of_headers_and_leading_zeros() -> None:
    head, row = table(student(1, 学号='="00123"'))
    outcome = read(text([[f'="{name}"' for name in head], row]))
    assert [row.student_no for row in outcome.rows] == ["00123"]


def test_an_empty_guard_is_an_empty_cell() -> None:
    outcome = check(班级="'", 民族="’")
    assert (outcome.rows[0].class_name, outcome.issues) == ("", [])


def test_chinese_quotes_around_a_word_stay() -> None:
    outcome = check(班级="‘示例’班")
    assert (outcome.rows[0].class_name, outcome.issues) == ("‘示例’班", [])


def test_a_rejected_row_has_its_remarks_too_in_the_order_of_columns() -> None:
    outcome = check(姓名="张 三", 手机号码="'1")
    assert outcome.places == [
        (2, "姓名", SPACES),
        (2, "手机号码", "cell.mobile"),
        (2, "手机号码", MARK),
    ]


def test_what_rows_share_is_remarked_in_each() -> None:
    outcome = read(xlsx(table(student(1, 班级="'一班"), student(2, 班级="'一班"))))
    assert outcome.places == [(2, "班级", MARK), (3, "班级", MARK)]
    assert len(outcome.rows) == 2


def test_invisible_marks_in_numbers_headers_and_lists() -> None:
    changed = {
        "学号": "\u206620240001\u2069",
        "证件号码": f"\u2066{number(1)}\u2069",
        "手机号码": "\u2068138 0000 0001\u2069",
        "专业名称": "计算机\u00ad应用",
        "性别": "男\u061c",
        "申报职业": "调饮\u200d师",
        "评价机构": "示例\ufe0f社评组织\u180e",
        "班级": "一\u200b班\u2060",
    }
    cells = table(student(1, **changed))
    cells[0] = [f"{head[:1]}\u2063{head[1:]}\u115f" for head in cells[0]]
    outcome = read(xlsx([["\u200b"]] * (HEADER_DEPTH - 5) + cells))
    assert outcome.issues == []
    (row,) = outcome.rows
    assert (row.student_no, row.document_number, row.mobile) == (
        "20240001",
        number(1),
        "13800000001",
    )
    assert (row.class_name, row.wish.occupation, row.wish.body) == ("一班", "调饮师", rosters.BODY)


@pytest.mark.parametrize(
    "value", ["#N/A", "#VALUE!", "#REF!", "#DIV/0!", "#NAME?", "#NUM!", "#n/a", "Err:502"]
)
def test_error_values_that_became_text(value: str) -> None:
    outcome = read(text(table(student(1, 姓名=value, 班级=value))))
    assert outcome.places == [(2, "姓名", "cell.formula"), (2, "班级", "cell.formula")]


@given(st.text(st.sampled_from([*"'\"=＝‘’ a1班", "\u200b"])))
def test_guards_come_off_once_and_for_all(written: str) -> None:
    plain = unguarded(written.strip(" \u200b"))
    assert unguarded(plain) == plain
    assert not plain.startswith("'")


@given(st.text())
def test_error_texts_and_zeros_never_raise(written: str) -> None:
    assert says_nothing(written) or (written and not is_error_text(written))
