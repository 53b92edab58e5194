"""ods as other programs write it."""

from dataclasses import replace
from datetime import date

import pytest

from importers.limits import LIMITS
from tests.files import hostile, rosters
from tests.files.packages import STUDENTS
from tests.files.rosters import student, table
from tests.unit.importers.reading import read, refusal

NUMBERS = ["20240001", "20240002"]
FEW = replace(LIMITS, rows=100)


def cell(text: str, inside: str = "") -> str:
    head = '<table:table-cell office:value-type="string">'
    return f"{head}<text:p>{text}</text:p>{inside}</table:table-cell>"


def row(values: object, more: str = "", attributes: str = "") -> str:
    cells = "".join(cell(str(value)) for value in values)  # type: ignore[attr-defined]
    return f"<table:table-row{attributes}>{cells}{more}</table:table-row>"


def rows(cells: rosters.Cells = STUDENTS) -> str:
    return "".join(map(row, cells))


def numbers(data: bytes) -> list[str]:
    outcome = read(data, limits=FEW)
    assert outcome.issues == []
    return [one.student_no for one in outcome.rows]


def beside(other: str) -> bytes:
    """A roster behind another sheet."""
    sheet = f'</table:table><table:table table:name="名册">{rows()}'
    return hostile.ods_of(other + sheet)


GAP = '<table:table-row table:number-rows-repeated="1000000"/>'
VALUE = '<table:table-cell office:value-type="float" office:value="1"/>'
EMPTY = '<table:table-cell table:style-name="a" table:number-columns-repeated="16384"/>'
NOTHING = '<table:table-cell office:value-type="string" table:number-columns-repeated="16378"/>'


@pytest.mark.parametrize(
    "content",
    [
        rows().replace("><table", ">\n  <table").replace("</text:p><", "</text:p>\n<"),
        f"<!-- x --><table:table-header-rows>{rows()}</table:table-header-rows>",
        f"<table:table-row-group>{rows()}</table:table-row-group>",
        rows() + f'<table:table-row table:number-rows-repeated="1048573">{EMPTY}</table:table-row>',
        rows() + f"<table:table-row>{EMPTY}</table:table-row>",
        rows()
        + f'<table:table-row table:number-rows-repeated="1048573">{NOTHING}</table:table-row>',
        rows() + '<table:table-row table:number-rows-repeated="1048573"><table:table-cell '
        'table:formula="of:=VLOOKUP([.A4];[.A:.B];2)" calcext:value-type="error" '
        'office:value-type="string" office:string-value=""><text:p>#N/A</text:p>'
        "</table:table-cell></table:table-row>",
        "".join(
            row([], "".join(cell(f"<text:span>{text}</text:span>") for text in values))
            for values in STUDENTS
        ),
        "".join(
            row(
                [],
                "".join(
                    cell(str(text), "<office:annotation><text:p>批注</text:p></office:annotation>")
                    for text in values
                ),
            )
            for values in STUDENTS
        ),
        "".join(
            row(
                [],
                "".join(
                    f"<table:table-cell><text:p>{text}</text:p></table:table-cell>"
                    for text in values
                ),
            )
            for values in STUDENTS
        ),
    ],
)
def test_however_the_rows_are_written(content: str) -> None:
    assert numbers(hostile.ods_of(content)) == NUMBERS


def test_any_prefix() -> None:
    def change(name: str, content: bytes) -> bytes:
        if name != "content.xml":
            return content
        return (
            content.replace(b"table:", b"t:")
            .replace(b"xmlns:table", b"xmlns:t")
            .replace(b":xmlns:t:1.0", b":xmlns:table:1.0")
        )

    assert numbers(hostile.rezipped(rosters.ods(STUDENTS), change)) == NUMBERS


def test_without_a_type_of_its_own() -> None:
    data = hostile.rezipped(rosters.ods(STUDENTS))
    parts = hostile.rezipped(data, lambda name, content: b"" if name == "mimetype" else content)
    assert numbers(parts) == NUMBERS


@pytest.mark.parametrize(
    "other",
    [
        "<table:table-row>" + VALUE * 400 + "</table:table-row>",
        f"{GAP}<table:table-row>{VALUE}</table:table-row>",
        f'<table:table-row table:number-rows-repeated="1048576">{VALUE}</table:table-row>',
    ],
    ids=["wide", "far", "long"],
)
def test_another_sheet_does_no_harm(other: str) -> None:
    assert numbers(beside(other)) == NUMBERS
    assert read(beside(other), "S", FEW).issues[0].code in ("file.unsafe", "file.too-many-rows")


def test_a_roster_that_reaches_too_far_is_refused() -> None:
    far = '<table:table-cell table:number-columns-repeated="400"/>' + VALUE
    assert refusal(hostile.ods_of(row(STUDENTS[0]) + row(STUDENTS[1], far))) == "file.unsafe"


def test_a_hidden_sheet_is_not_read_and_said() -> None:
    style = (
        '<office:automatic-styles><style:style xmlns:style="urn:oasis:names:tc:opendocument:'
        'xmlns:style:1.0" style:name="ta1"><style:table-properties table:display="false"/>'
        "</style:style></office:automatic-styles><office:body>"
    )

    def change(name: str, content: bytes) -> bytes:
        if name != "content.xml":
            return content
        hidden = content.replace(b'table:name="S"', b'table:name="S" table:style-name="ta1"')
        return hidden.replace(b"<office:body>", style.encode())

    outcome = read(hostile.rezipped(beside(rows()), change))
    assert [one.student_no for one in outcome.rows] == NUMBERS
    assert outcome.issues == []
    assert outcome.facts is not None and len(outcome.facts.hidden_sheets) == 1


def test_hidden_rows_are_told() -> None:
    content = row(STUDENTS[0]) + row(STUDENTS[1], attributes=' table:visibility="filter"')
    facts = read(hostile.ods_of(content)).facts
    assert facts is not None and facts.hidden_rows == 1


def test_blank_rows_keep_their_numbers() -> None:
    gap = '<table:table-row table:number-rows-repeated="300"/>'
    wrong = table(student(2, 手机号码="1"))[1]
    outcome = read(hostile.ods_of(rows(STUDENTS[:2]) + gap + row(wrong)))
    assert outcome.places == [(303, "手机号码", "cell.mobile")]


@pytest.mark.parametrize(
    ("last", "code"),
    [
        ('<table:table-cell table:formula="of:=X"/>', "cell.formula"),
        (
            '<table:table-cell table:formula="of:=X" office:value-type="string" '
            'office:string-value="" calcext:value-type="error"><text:p>#N/A</text:p>'
            "</table:table-cell>",
            "cell.formula",
        ),
        ('<table:table-cell table:formula="of:=X" office:value-type="string"/>', "cell.required"),
    ],
)
def test_a_formula_without_a_value(last: str, code: str) -> None:
    content = row(STUDENTS[0]) + row(STUDENTS[1][:5], last)
    assert read(hostile.ods_of(content)).places == [(2, "毕业年月", code)]


def test_values_are_read_as_their_types_say() -> None:
    cells = table(student(1, 毕业年月=date(2027, 6, 15), 手机号码=13800000001, 班级="x"))
    spaced = '一<text:s text:c="2"/>班<text:line-break/>甲<text:tab/>乙\n  丙'
    content = hostile.rezipped(
        rosters.ods(cells),
        lambda name, part: (
            part.replace(b">x<", f">{spaced}<".encode()) if name == "content.xml" else part
        ),
    )
    (one,) = read(content).rows
    assert (one.graduates_on, one.mobile) == (date(2027, 6, 15), "13800000001")
    assert one.class_name == "一  班\n甲\t乙 丙"


def test_a_formula_that_looks_outside_is_refused() -> None:
    formula = "of:='file:///tmp/a.ods'#$S.A1"
    last = f'<table:table-cell table:formula="{formula}" office:value-type="string"/>'
    assert refusal(hostile.ods_of(row(STUDENTS[0], last))) == "file.unsafe"
