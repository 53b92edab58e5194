"""Every hostile file is refused before it is parsed, with the contract's code."""

from dataclasses import replace

import pytest

from importers.limits import LIMITS
from tests.files import hostile, old, rosters
from tests.unit.importers.reading import read, refusal

_STUDENTS = rosters.table(rosters.student(1), rosters.student(2))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "file.unreadable"),
        (hostile.png(), "file.unreadable"),
        (b"%PDF-1.7\n%\xe2\xe3", "file.unreadable"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "file.unreadable"),
        (b"<html><table><tr><td>1</td></tr></table></html>", "file.unreadable"),
        (b"PK\x05\x06" + bytes(18), "file.unreadable"),
        (bytes(range(256)) * 40, "file.unreadable"),
        (hostile.docx(), "file.unreadable"),
        (hostile.other_zip(), "file.unreadable"),
        (hostile.good_xlsx()[:-200], "file.unreadable"),
        (hostile.good_xlsx()[:200], "file.unreadable"),
        (rosters.xls(_STUDENTS)[:2000], "file.unreadable"),
        (old.compound({"WordDocument": b"text"}), "file.unreadable"),
        (old.encrypted_package(), "file.encrypted"),
        (hostile.encrypted_entry(), "file.encrypted"),
        (old.xls_with_password(), "file.encrypted"),
        (hostile.ods_of("", manifest="<m:encryption-data/>"), "file.encrypted"),
        (hostile.macros(), "file.macros"),
        (old.xls_with_macros(), "file.macros"),
        (old.xls_with_macro_sheet(), "file.macros"),
        (hostile.ods_of("", Basic__Standard__Module1__xml="x"), "file.macros"),
        (hostile.far_cell(), "file.unsafe"),
        (hostile.far_cell("A1048576"), "file.unsafe"),
        (hostile.far_cell("XFD1"), "file.unsafe"),
        (hostile.wide_row(placed=True), "file.unsafe"),
        (hostile.wide_row(placed=False), "file.unsafe"),
        (hostile.bomb(), "file.unsafe"),
        (hostile.bomb("xl/media/image1.png"), "file.unsafe"),
        (hostile.entities(), "file.unsafe"),
        (hostile.entities("utf-16"), "file.unsafe"),
        (hostile.entities_in_sheet(), "file.unsafe"),
        (hostile.external_link(), "file.unsafe"),
        (hostile.external_image(), "file.unsafe"),
        (old.xls_with_link(), "file.unsafe"),
        (hostile.ods_far_cell(), "file.unsafe"),
        (hostile.ods_repeated(), "file.unsafe"),
        (hostile.ods_with_link(), "file.unsafe"),
        (hostile.ods_with_entities(), "file.unsafe"),
        (hostile.filled_rows(), "file.too-many-rows"),
        ("学号，姓名\n".encode("utf-16-le"), "file.encoding"),
        ("学号,姓名\n".encode() + b"\xff", "file.encoding"),
        ('学号,姓名\n"1,2\n'.encode(), "file.unreadable"),
    ],
)
def test_refused(data: bytes, code: str) -> None:
    assert refusal(data) == code


def test_a_bomb_that_lies_is_refused() -> None:
    assert refusal(hostile.lying_bomb()) in {"file.unsafe", "file.unreadable"}


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (replace(LIMITS, file_bytes=1000), "file.too-large"),
        (replace(LIMITS, rows=2), "file.too-many-rows"),
        (replace(LIMITS, columns=3), "file.unsafe"),
        (replace(LIMITS, cells=10), "file.unsafe"),
        (replace(LIMITS, entries=3), "file.unsafe"),
        (replace(LIMITS, expanded_bytes=500), "file.unsafe"),
    ],
)
def test_limits(limits, code: str) -> None:
    assert refusal(hostile.good_xlsx(), limits) == code


def test_rows_of_a_text_are_limited_too() -> None:
    assert refusal(rosters.text(_STUDENTS), replace(LIMITS, rows=2)) == "file.too-many-rows"


@pytest.mark.parametrize(
    "data",
    [
        hostile.good_xlsx(),
        hostile.hyperlinked(),
        hostile.rezipped(hostile.good_xlsx(), added=[("docProps/empty.xml", b"")]),
        rosters.xls(_STUDENTS),
        rosters.ods(_STUDENTS),
        rosters.text(_STUDENTS),
    ],
)
def test_harmless_files_are_read(data: bytes) -> None:
    assert [row.student_no for row in read(data).rows] == ["20240001", "20240002"]


def test_a_lone_empty_row_at_the_end_is_harmless() -> None:
    def change(name: str, content: bytes) -> bytes:
        end = b"</sheetData>"
        return content.replace(end, b'<row r="1048576" hidden="1"/>' + end)

    assert len(read(hostile.rezipped(hostile.good_xlsx(), change)).rows) == 2


def test_the_empty_rest_of_an_ods_sheet_is_harmless() -> None:
    content = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p>'
            "</table:table-cell>"
            for cell in row
        )
        + '<table:table-cell table:number-columns-repeated="16378"/></table:table-row>'
        for row in _STUDENTS
    )
    rest = '<table:table-row table:number-rows-repeated="1048573"><table:table-cell '
    rest += 'table:number-columns-repeated="16384"/></table:table-row>'
    assert len(read(hostile.ods_of(content + rest)).rows) == 2


def test_a_namespace_prefix_hides_nothing() -> None:
    def change(name: str, content: bytes) -> bytes:
        if name != hostile.SHEET:
            return content
        return (
            b'<x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
            b'<x:sheetData><x:row r="1"><x:c r="XFD1"><x:v>1</x:v></x:c></x:row></x:sheetData>'
            b"</x:worksheet>"
        )

    assert refusal(hostile.rezipped(hostile.good_xlsx(), change)) == "file.unsafe"


def test_a_workbook_without_sheets() -> None:
    def change(name: str, content: bytes) -> bytes:
        head, _, rest = content.partition(b"<sheets>")
        return head + rest.partition(b"</sheets>")[2] if name == "xl/workbook.xml" else content

    assert refusal(hostile.rezipped(hostile.good_xlsx(), change)) == "file.unreadable"
