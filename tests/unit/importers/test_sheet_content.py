"""Only what a sheet holds counts, and only of the sheet that is read."""

from dataclasses import replace

import pytest

from importers.limits import LIMITS
from tests.files import hostile
from tests.files.packages import MAIN, STUDENTS, book, row, rows, sheet, text_cell
from tests.files.rosters import student, table
from tests.unit.importers.reading import read, refusal

FEW = replace(LIMITS, rows=100)
NUMBERS = ["20240001", "20240002"]
RED_STAR = (
    "<is><r><rPr><rFont val='宋体'/><family val='2'/><charset val='134'/></rPr><t>{}</t></r>"
    "<r><rPr><color rgb='FFFF0000'/><family val='2'/></rPr><t>*</t></r>"
    "<rPh sb='0' eb='1'><t>xue</t></rPh><phoneticPr fontId='1'/></is>"
)


def numbers(data: bytes) -> list[str]:
    outcome = read(data, limits=FEW)
    assert outcome.issues == []
    return [one.student_no for one in outcome.rows]


def with_more(more: str) -> bytes:
    """A roster with other cells behind those of the first student."""
    first = row(2, *map(str, STUDENTS[1]), more=more)
    return book(sheet(rows(STUDENTS[:1]) + first + rows(STUDENTS[2:], 3)))


EMPTY_ROWS = "".join(
    f'<row r="{n}" s="1" customFormat="1"><c r="A{n}" s="1"/></row>' for n in range(4, 304)
)
PREPARED = "".join(
    f'<row r="{n}"><c r="G{n}" t="str"><f>B{n}&amp;""</f><v></v></c></row>' for n in range(4, 304)
)
FAILED = "".join(
    f'<row r="{n}"><c r="G{n}" t="e"><f>NA()</f><v>#N/A</v></c></row>' for n in range(4, 304)
)


@pytest.mark.parametrize(
    "data",
    [
        with_more('<c r="XFD2" s="1"/>'),
        with_more('<c r="XFD2" s="1"></c>'),
        with_more('<c r="XFD2" s="1"><v></v></c>'),
        with_more('<c r="XFD2" t="str"><f>""</f><v></v></c>'),
        with_more('<c r="XFD2" t="inlineStr"><is><t></t></is></c>'),
        with_more('<c r="xfd2" s="1"/>'),
        with_more('<c s="1"/>' * 400),
        book(sheet(rows() + '<row r="1048576"><c r="XFD1048576" s="1"/></row>')),
        book(sheet(rows() + '<row r="1048576" hidden="1"/>')),
        book(sheet(rows() + EMPTY_ROWS)),
        book(sheet(rows() + PREPARED)),
        book(sheet(rows() + FAILED)),
        book(sheet(rows(), before='<dimension ref="A1:XFD1048576"/>')),
        book(sheet(rows(), before='<dimension ref="A1:"/>')),
        book(sheet(rows(), before='<dimension ref=""/>')),
        book(sheet(rows(), before="<dimension/>")),
        book(
            sheet(
                row(1, "名册") + rows(first=2),
                after='<mergeCells count="1"><mergeCell ref="A1:XFD1"/></mergeCells>',
            )
        ),
        book(sheet(rows(), after='<mergeCells><mergeCell ref="G1:XFD1048576"/></mergeCells>')),
        book(
            sheet(
                row(1, "名册") + rows(first=2),
                after='<mergeCells><mergeCell ref="1:1"/><mergeCell ref="H:H"/></mergeCells>',
            )
        ),
    ],
)
def test_what_is_empty_does_not_count(data: bytes) -> None:
    assert numbers(data) == NUMBERS


def test_a_merged_range_is_filled_down_as_far_as_the_data_goes() -> None:
    cells = table(student(1, 班级="一班"), student(2, 班级=""))
    merged = '<mergeCells><mergeCell ref="G2:G1048576"/></mergeCells>'
    outcome = read(book(sheet(rows(cells), after=merged)))
    assert [one.class_name for one in outcome.rows] == ["一班", "一班"]


WIDE = sheet(row(1, *map(str, range(400))))
FAR = sheet('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')
LONG = sheet("".join(f"<row><c><v>{n}</v></c></row>" for n in range(FEW.rows + 1)))


@pytest.mark.parametrize("other", [WIDE, FAR, LONG], ids=["wide", "far", "long"])
@pytest.mark.parametrize("state", ["", ' state="hidden"', ' state="veryHidden"'])
def test_other_sheets_do_no_harm(other: str, state: str) -> None:
    outcome = read(book(other, sheet(rows()), more=[state]), limits=FEW)
    assert [one.student_no for one in outcome.rows] == NUMBERS
    assert {one.severity for one in outcome.issues} <= {"warning"}


@pytest.mark.parametrize(
    ("other", "code"),
    [(WIDE, "file.unsafe"), (FAR, "file.unsafe"), (LONG, "file.too-many-rows")],
)
def test_the_same_of_the_sheet_that_is_read(other: str, code: str) -> None:
    assert refusal(book(other), FEW) == code
    assert read(book(sheet(rows()), other), "表2", FEW).places == [(None, None, code)]


@pytest.mark.parametrize(
    "more",
    [
        '<c r="XFD2"><v>1</v></c>',
        '<c r="xfd2"><v>1</v></c>',
        '<c s="1" r="XFD2"><v>1</v></c>',
        text_cell("注", "IW2"),
        "<c/>" * 300 + "<c><v>1</v></c>",
    ],
)
def test_a_roster_that_reaches_too_far_is_refused(more: str) -> None:
    assert refusal(with_more(more)) == "file.unsafe"


def test_a_roster_that_is_refused_is_not_passed_over_for_a_guide() -> None:
    wide = row(1, *map(str, STUDENTS[0]), *map(str, range(400))) + rows(STUDENTS[1:], 2)
    assert refusal(book(sheet(row(1, "学号", "请填写")), sheet(wide))) == "file.unsafe"


def test_hidden_sheets_do_not_count_toward_their_number() -> None:
    sheets = [sheet(rows()), *[sheet("")] * 5]
    few = replace(LIMITS, sheets=3)
    assert refusal(book(*sheets), few) == "file.unsafe"
    assert refusal(book(*sheets, more=["", *[' state="hidden"'] * 5]), few) is None


@pytest.mark.parametrize(
    "cell",
    [
        "<c r='{}' t='inlineStr'>" + RED_STAR + "</c>",
        '<c r="{}" t="inlineStr"><is><t><![CDATA[{}]]></t></is></c>',
        '<c r="{}" t="inlineStr"><is><!-- x --><t>{}</t></is></c>',
        '<c r="{}" t="str"><v><![CDATA[{}]]></v></c>',
        '<c r="{}" t="str"><v>{}</v><f>A9</f></c>',
        '<c r="{}" t="str"><f>A9</f><v>{}</v><extLst><ext/></extLst></c>',
        '<c r="{}" t="inlineStr"><v>{}</v></c>',
        '<c r="{}" t="text"><v>{}</v></c>',
        '<c r="${}" t="str"><v>{}</v></c>',
        '<c t="str" r = "{}" ><v >{}</v></c >',
        '<c r="{}" t="str"><x:f xmlns:x="urn:x">B9</x:f><v>{}</v></c>',
        '<c r="{}" t="str"><v>{}</v><x:v xmlns:x="urn:x">9</x:v></c>',
    ],
)
def test_however_a_cell_holds_its_text(cell: str) -> None:
    lines = "".join(
        f'<row r="{number}">'
        + "".join(
            cell.format(f"{hostile.letters(column)}{number}", text)
            for column, text in enumerate(map(str, values), 1)
        ).replace("*</t></r>" if number > 1 else "\0", "</t></r>")
        + "</row>"
        for number, values in enumerate(STUDENTS, 1)
    )
    assert numbers(book(sheet(lines))) == NUMBERS


def test_elements_with_a_prefix() -> None:
    plain = sheet(rows()).replace(f'xmlns="{MAIN}"', f'xmlns:x="{MAIN}"')
    prefixed = plain.replace("</", "\0").replace("<", "<x:").replace("\0", "</x:")
    assert numbers(book(prefixed)) == NUMBERS


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_sheet_in_utf_16(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="UTF-16"?>{sheet(rows())}'
    assert numbers(book(text.encode(encoding))) == NUMBERS


def test_cells_without_places() -> None:
    lines = "".join(
        f"<row>{''.join(text_cell(str(text)) for text in values)}</row>" for values in STUDENTS
    )
    assert numbers(book(sheet(lines))) == NUMBERS


@pytest.mark.parametrize("place", ['r="B2" ', "", 's="0" r="B2" '])
@pytest.mark.parametrize("value", ["", "<v></v>", "<v/>", "<v />"])
def test_a_formula_without_a_value_is_told_with_or_without_its_place(
    place: str, value: str
) -> None:
    number, _, *others = map(str, STUDENTS[1])
    cells = "".join(
        [text_cell(number), f"<c {place}><f>C9</f>{value}</c>", *map(text_cell, others)]
    )
    outcome = read(book(sheet(rows(STUDENTS[:1]) + f"<row>{cells}</row>")))
    assert outcome.places == [(2, "姓名", "cell.formula")]


def test_error_values_of_later_versions_are_told() -> None:
    number, _, *others = map(str, STUDENTS[1])
    wrong = '<c r="B2" t="e"><f>_xlfn.XLOOKUP(A2,A:A,B:B)</f><v>#SPILL!</v></c>'
    line = f'<row r="2">{text_cell(number, "A2")}{wrong}'
    line += "".join(text_cell(text, f"{'CDEF'[n]}2") for n, text in enumerate(others)) + "</row>"
    outcome = read(book(sheet(rows(STUDENTS[:1]) + line)))
    assert outcome.places == [(2, "姓名", "cell.formula")]


def test_answers_are_read_as_they_are_written() -> None:
    cells = table(student(1, 性别="x"))
    line = rows(cells).replace(text_cell("x", "G2"), '<c r="G2" t="b"><v>false</v></c><!-- -->')
    (one,) = read(book(sheet(line))).issues
    assert "FALSE" in one.message


def test_a_damaged_sheet_is_named() -> None:
    (one,) = read(book(sheet(rows())[:-40])).issues
    assert one.code == "file.unreadable" and "表1" in one.message
