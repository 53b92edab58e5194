"""Workbooks of Excel 5 to 2003, as other programs wrote them too."""

import io
import struct

import pytest
import xlwt

from importers import biff
from importers.compound import Compound
from importers.limits import LIMITS
from tests.files import old, rosters
from tests.files.packages import STUDENTS
from tests.files.rosters import student, table
from tests.unit.importers.reading import read, read_apart, refusal

NUMBERS = ["20240001", "20240002"]
CODEPAGE, DIMENSIONS, BOUNDSHEET, BOOLERR, FORMULA = 0x42, 0x200, 0x85, 0x205, 0x06
XLS = rosters.xls(STUDENTS)


def numbers(data: bytes) -> list[str]:
    outcome = read(data)
    assert outcome.issues == []
    return [one.student_no for one in outcome.rows]


def book(*sheets: tuple[str, rosters.Cells | None]) -> tuple[xlwt.Workbook, list[xlwt.Worksheet]]:
    made = xlwt.Workbook()
    pages = []
    for name, cells in sheets:
        page = made.add_sheet(name)
        for row, values in enumerate(cells or ()):
            for column, value in enumerate(values):
                page.write(row, column, value)
        pages.append(page)
    return made, pages


def saved(made: xlwt.Workbook) -> bytes:
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


@pytest.mark.parametrize("codepage", [1252, 936, 1200, 1250, 10000, 367, 32769, 65001, 0, 9999])
def test_texts_since_excel_97_are_unicode_whatever_the_record_says(codepage: int) -> None:
    data = old.changed(XLS, CODEPAGE, struct.pack("<H", codepage))
    outcome = read(data)
    assert outcome.issues == []
    assert [one.name for one in outcome.rows] == ["示例1", "示例2"]
    assert outcome.facts is not None and outcome.facts.sheet == "名册"


@pytest.mark.parametrize(
    ("codepage", "encoding"),
    [(936, "gbk"), (936, "gb18030"), (10008, "gb2312"), (54936, "gb18030"), (None, "gbk")],
)
def test_texts_of_excel_5_are_in_their_own_code_page(codepage: int | None, encoding: str) -> None:
    outcome = read(old.biff5(STUDENTS, codepage, encoding))
    assert [one.name for one in outcome.rows] == ["示例1", "示例2"]
    assert outcome.facts is not None and outcome.facts.sheet == "名册"


@pytest.mark.parametrize(
    ("codepage", "encoding"),
    [(1252, "cp1252"), (32769, "cp1252"), (10000, "mac_roman"), (1251, "cp1251"), (932, "cp932")],
)
def test_other_code_pages_of_excel_5(codepage: int, encoding: str) -> None:
    text = {"cp1251": "Ж", "cp932": "漢"}.get(encoding, "é")
    book = biff.sheets_of(Compound(old.biff5([[text]], codepage, encoding, "S")), LIMITS)
    assert list(book[0].rows()) == [(1, [text])]


@pytest.mark.parametrize("claim", [(0, 65536, 0, 256), (0, 0xFFFFFFFF, 0, 0xFFFF), (9, 0, 9, 0)])
def test_a_size_that_a_sheet_only_claims_to_have(claim: tuple[int, int, int, int]) -> None:
    assert numbers(old.changed(XLS, DIMENSIONS, struct.pack("<IIHH", *claim))) == NUMBERS


@pytest.mark.parametrize("state", [0x00, 0x04, 0x3C])
def test_states_of_sheets_that_nobody_knows(state: int) -> None:
    assert numbers(old.changed(XLS, BOUNDSHEET, bytes([state]), offset=4)) == NUMBERS


def test_content_far_away_on_another_sheet_does_no_harm() -> None:
    made, pages = book(("考勤", [["x"]]), ("名册", STUDENTS))
    pages[0].write(65535, 255, "远")
    assert numbers(saved(made)) == NUMBERS
    assert read(saved(made), "考勤").places == [(None, None, "file.unsafe")]


def test_blank_cells_far_away_do_not_count() -> None:
    made, pages = book(("名册", STUDENTS))
    pages[0].write(60000, 255, "", xlwt.easyxf("pattern: pattern solid"))
    pages[0].merge(3, 9999, 0, 5)
    assert numbers(saved(made)) == NUMBERS


def with_formula(result: bytes, *following: bytes) -> bytes:
    """The first student's name as a formula with this stored result."""
    stream = bytearray(old.workbook_stream(XLS))
    label = next(
        at
        for kind, at, _ in old.records(bytes(stream))
        if kind == 0xFD and struct.unpack_from("<HH", stream, at) == (1, 1)
    )
    formula = struct.pack("<HHH", 1, 1, 0) + result + bytes(6) + struct.pack("<H", 0)
    record = old.record(FORMULA, formula) + b"".join(following)
    return old.with_stream(stream[: label - 4] + record + stream[label + 10 :])


TEXT, ERROR, EMPTY = 0, 2, 3


def special(kind: int, value: int = 0) -> bytes:
    return bytes([kind, 0, value, 0, 0, 0, 0xFF, 0xFF])


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (with_formula(special(TEXT), old.record(0x207, struct.pack("<HB", 2, 0) + b"Li")), "Li"),
        (
            with_formula(
                special(TEXT),
                old.record(0x4BC, bytes(10)),
                old.record(0x207, struct.pack("<HB", 1, 1) + "李".encode("utf-16-le")),
            ),
            "李",
        ),
    ],
)
def test_a_formula_with_its_text(data: bytes, name: str) -> None:
    assert [one.name for one in read(data).rows] == [name, "示例2"]


@pytest.mark.parametrize(
    ("result", "code"),
    [
        (special(TEXT), "cell.formula"),
        (special(ERROR, 0x2A), "cell.formula"),
        (special(ERROR, 0x99), "cell.formula"),
        (special(EMPTY), "cell.required"),
        (special(9), "cell.required"),
    ],
)
def test_a_formula_without_a_value(result: bytes, code: str) -> None:
    outcome = read(with_formula(result))
    assert [one.student_no for one in outcome.rows] == ["20240002"]
    assert outcome.places == [(2, "姓名", code)]


def test_of_two_books_in_one_container_the_later_version_is_read() -> None:
    both = {"Book": b"\x09\x08\x08\x00\x00\x05\x05\x00" + bytes(8), "Workbook": b""}
    both["Workbook"] = old.workbook_stream(XLS)
    assert numbers(old.compound(both)) == NUMBERS


@pytest.mark.parametrize("lock", [old.locked_xls(XLS), old.locked_xlsx(rosters.xlsx(STUDENTS))])
def test_a_book_that_excel_locked_with_a_password_of_its_own(lock: bytes) -> None:
    outcome = read_apart(lock)
    assert outcome.issues == []
    assert [one.student_no for one in outcome.rows] == NUMBERS


@pytest.mark.parametrize(
    "lock", [old.locked_xls(XLS, "geheim"), old.locked_xlsx(rosters.xlsx(STUDENTS), "geheim")]
)
def test_a_book_with_a_password(lock: bytes) -> None:
    (one,) = read(lock).issues
    assert one.code == "file.encrypted" and "保护工作簿" not in one.message


def test_an_older_book_locked_so_is_told_why() -> None:
    stream = old.BOF + old.record(0x2F, b"\x59\xb3\x0a\x9a") + old.EOF
    (one,) = read(old.compound({"Book": stream})).issues
    assert one.code == "file.encrypted" and "保护工作簿" in one.message


def test_a_locked_book_is_still_looked_at() -> None:
    made, pages = book(("名册", table(student(1))))
    pages[0].write(65535, 255, "远")
    assert refusal(old.locked_xls(saved(made))) == "file.unsafe"
