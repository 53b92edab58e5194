"""Parts of an xlsx are found as its relationships say, and nothing else of it is read."""

from datetime import date

import pytest

from tests.files import hostile, rosters
from tests.files.packages import (
    STUDENTS,
    listed,
    relation,
    relations,
    rows,
    sheet,
    workbook,
    zipped,
)
from tests.unit.importers.reading import read, refusal

SHEET = sheet(rows())
PARTS: dict[str, str | bytes] = {
    "[Content_Types].xml": "<Types/>",
    "_rels/.rels": relations(relation("officeDocument", "xl/workbook.xml")),
    "xl/workbook.xml": workbook(listed()),
    "xl/_rels/workbook.xml.rels": relations(relation("worksheet", "worksheets/sheet1.xml")),
    "xl/worksheets/sheet1.xml": SHEET,
}


def numbers(data: bytes) -> list[str]:
    outcome = read(data)
    assert outcome.issues == []
    return [one.student_no for one in outcome.rows]


def without(*names: str) -> dict[str, str | bytes]:
    return {name: content for name, content in PARTS.items() if name not in names}


def with_target(target: str, part: str = "xl/worksheets/sheet1.xml") -> bytes:
    main = relations(relation("worksheet", target))
    parts = without("xl/worksheets/sheet1.xml") | {"xl/_rels/workbook.xml.rels": main}
    return zipped(parts | {part: SHEET})


@pytest.mark.parametrize(
    "data",
    [
        zipped(PARTS),
        zipped(
            without("xl/workbook.xml", "xl/_rels/workbook.xml.rels")
            | {
                "_rels/.rels": relations(relation("officeDocument", "/xl/workbook22.xml")),
                "xl/workbook22.xml": PARTS["xl/workbook.xml"],
                "xl/_rels/workbook22.xml.rels": PARTS["xl/_rels/workbook.xml.rels"],
            }
        ),
        zipped(
            {
                "_rels/.rels": relations(relation("officeDocument", "book.xml")),
                "book.xml": workbook(listed()),
                "_rels/book.xml.rels": relations(relation("worksheet", "one.xml")),
                "one.xml": SHEET,
            }
        ),
        zipped(without("_rels/.rels", "[Content_Types].xml")),
        with_target("./worksheets/sheet1.xml"),
        with_target("../xl/worksheets/sheet1.xml"),
        with_target("worksheets\\sheet1.xml"),
        with_target("/xl/worksheets/sheet1.xml"),
        with_target("WorkSheets/Sheet1.xml"),
        with_target("worksheets/%E5%90%8D%E5%86%8C.xml", "xl/worksheets/名册.xml"),
        with_target("worksheets/sheet1.xml", "xl\\worksheets\\sheet1.xml"),
        with_target("worksheets/sheet1.xml", "XL/worksheets/SHEET1.XML"),
        zipped(PARTS | {"xl/workbook.xml": workbook(listed(more=' state="show"'))}),
        zipped(PARTS | {"xl/workbook.xml": workbook('<sheet name="名册" sheetId="1"/>')}),
        zipped(PARTS | {"xl/drawings/_rels/drawing1.xml.rels": b""}),
        b"\r\n" + zipped(PARTS),
        b"\xef\xbb\xbf" + zipped(PARTS),
        zipped(PARTS) + b"\r\n",
    ],
)
def test_however_the_package_is_laid_out(data: bytes) -> None:
    assert numbers(data) == ["20240001", "20240002"]


def test_an_old_workbook_behind_a_line_break() -> None:
    assert numbers(b"\r\n" + rosters.xls(STUDENTS)) == ["20240001", "20240002"]


def test_shared_strings_and_styles_under_other_names() -> None:
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    heads, (*texts, _) = STUDENTS[0], STUDENTS[1]
    shared = [*heads, *texts]
    cells = [f'<c t="s"><v>{place}</v></c>' for place in range(len(shared))]
    lines = ["".join(cells[: len(heads)]), "".join(cells[len(heads) :])]
    day = '<c s="1"><v>46568</v></c>'
    parts: dict[str, str | bytes] = {
        "xl/worksheets/sheet1.xml": sheet(f"<row>{lines[0]}</row><row>{lines[1]}{day}</row>"),
        "xl/_rels/workbook.xml.rels": relations(
            relation("worksheet", "worksheets/sheet1.xml"),
            relation("sharedStrings", "texts/all.xml", "rId2"),
            relation("styles", "looks.xml", "rId3"),
        ),
        "xl/texts/all.xml": f"<sst {main}>{''.join(f'<si><t>{t}</t></si>' for t in shared)}</sst>",
        "xl/looks.xml": f'<styleSheet {main}><cellXfs count="2"><xf numFmtId="0"/>'
        '<xf numFmtId="14"/></cellXfs></styleSheet>',
    }
    (student,) = read(zipped(PARTS | parts)).rows
    assert (student.student_no, student.graduates_on) == ("20240001", date(2027, 6, 30))


def test_a_sheet_that_points_nowhere_does_no_harm_beside_the_roster() -> None:
    main = workbook(listed(), listed("空指", 2))
    assert numbers(zipped(PARTS | {"xl/workbook.xml": main})) == ["20240001", "20240002"]


def test_a_sheet_that_points_nowhere_is_told() -> None:
    (one,) = read(zipped(without("xl/worksheets/sheet1.xml"))).issues
    assert one.code == "file.unreadable"
    assert "名册" in one.message and "另存为 xlsx" in one.message


def test_two_sheets_without_a_key_are_not_guessed_at() -> None:
    main = workbook('<sheet name="甲" sheetId="1"/>', '<sheet name="乙" sheetId="2"/>')
    assert refusal(zipped(PARTS | {"xl/workbook.xml": main})) == "file.unreadable"


def test_a_binary_workbook_is_told_wherever_it_lies() -> None:
    parts: dict[str, str | bytes] = {
        "_rels/.rels": relations(relation("officeDocument", "xl/main.bin")),
        "xl/main.bin": b"\x83\x01",
    }
    (one,) = read(zipped(parts)).issues
    assert one.code == "file.unreadable" and "xlsb" in one.message


LINK = "http://example.com/a.doc"


@pytest.mark.parametrize(
    ("kind", "target", "code"),
    [
        ("oleObject", "file:///c:/a.doc", "file.unsafe"),
        ("image", LINK, "file.unsafe"),
        ("externalLinkPath", "other.xlsx", "file.unsafe"),
        ("package", LINK, "file.unsafe"),
        ("attachedTemplate", "http://example.com/hyperlink", "file.unsafe"),
        ("hyperlink", "mailto:a@example.com", None),
        ("hyperlink", LINK, None),
    ],
)
@pytest.mark.parametrize("place", ["worksheets/_rels/sheet1.xml", "drawings/_rels/drawing1.xml"])
def test_relationships_that_lead_outside(
    kind: str, target: str, code: str | None, place: str
) -> None:
    part = relations(relation(kind, target, mode="External"))
    assert refusal(zipped(PARTS | {f"xl/{place}.rels": part})) == code


def test_no_spelling_hides_a_relationship_that_leads_outside() -> None:
    hidden = relations(relation("oleObject", LINK, mode="&#69;xternal"))
    assert refusal(zipped(PARTS | {"xl/worksheets/_rels/sheet1.xml.rels": hidden})) == "file.unsafe"


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("vbaProject", "file.macros"),
        ("xlMacrosheet", "file.macros"),
        ("xlIntlMacrosheet", "file.macros"),
        ("externalLink", "file.unsafe"),
    ],
)
def test_macros_and_links_by_any_name(kind: str, code: str) -> None:
    main = relations(relation("worksheet", "worksheets/sheet1.xml"), relation(kind, "a.bin", "r2"))
    data = zipped(PARTS | {"xl/_rels/workbook.xml.rels": main, "xl/a.bin": b"x"})
    assert refusal(data) == code


def test_of_two_parts_with_one_name_one_is_looked_at_and_read() -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = hostile.rezipped(zipped(PARTS), added=[("xl/worksheets/sheet1.xml", b"<x/>")])
    outcome = read(data)
    assert outcome.rows == [] and len(outcome.issues) == 1
