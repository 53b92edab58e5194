"""xlsx as other programs lay it out: parts elsewhere, sheets of their own XML."""

import io
import zipfile
from collections.abc import Iterable

from tests.files import hostile, rosters

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STUDENTS = rosters.table(rosters.student(1), rosters.student(2))


def relation(kind: str, target: str, key: str = "rId1", mode: str = "") -> str:
    """A relationship; `kind` is the last part of its type."""
    mode = f' TargetMode="{mode}"' if mode else ""
    return f'<Relationship Id="{key}" Type="{OFFICE}/{kind}" Target="{target}"{mode}/>'


def relations(*found: str) -> str:
    """A part of relationships."""
    return (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f"{''.join(found)}</Relationships>"
    )


def zipped(parts: dict[str, str | bytes]) -> bytes:
    """An archive of these parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def text_cell(text: str, place: str = "") -> str:
    """A cell with its text inside, with or without its place."""
    place = f' r="{place}"' if place else ""
    return f'<c{place} t="inlineStr"><is><t>{text}</t></is></c>'


def row(number: int, *texts: str, more: str = "") -> str:
    """A row of texts from column A on, and other cells behind them."""
    cells = "".join(
        text_cell(text, f"{hostile.letters(column)}{number}")
        for column, text in enumerate(texts, 1)
    )
    return f'<row r="{number}">{cells}{more}</row>'


def rows(cells: rosters.Cells = STUDENTS, first: int = 1) -> str:
    """Rows of texts from this one on."""
    return "".join(row(number, *map(str, values)) for number, values in enumerate(cells, first))


def sheet(data: str, before: str = "", after: str = "") -> str:
    """A sheet with these rows, and what stands before and behind them."""
    head = f'<worksheet xmlns="{MAIN}" xmlns:r="{OFFICE}">'
    return f"{head}{before}<sheetData>{data}</sheetData>{after}</worksheet>"


def workbook(*listed: str, before: str = "") -> str:
    """The main part with these elements of sheets."""
    head = f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">'
    return f"{head}{before}<sheets>{''.join(listed)}</sheets></workbook>"


def listed(title: str = "名册", number: int = 1, more: str = "") -> str:
    """The element of a sheet; its key is rId and the number."""
    return f'<sheet name="{title}" sheetId="{number}" r:id="rId{number}"{more}/>'


def book(*sheets: str | bytes, more: Iterable[str] = (), **parts: str | bytes) -> bytes:
    """A workbook of these sheets; `more` goes into the elements that list them, `parts` beside."""
    extra = [*more, *[""] * len(sheets)]
    numbers = range(1, len(sheets) + 1)
    targets = [relation("worksheet", f"worksheets/sheet{n}.xml", f"rId{n}") for n in numbers]
    found: dict[str, str | bytes] = {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": relations(relation("officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": workbook(*(listed(f"表{n}", n, extra[n - 1]) for n in numbers)),
        "xl/_rels/workbook.xml.rels": relations(*targets),
    }
    found |= {f"xl/worksheets/sheet{n}.xml": sheets[n - 1] for n in numbers}
    return zipped(found | parts)
