"""Files that mean harm, and files that are not what they seem."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable

from tests.files import rosters

SHEET = "xl/worksheets/sheet1.xml"
_SHEET_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
)
_SHEET_TAIL = "</sheetData></worksheet>"
_MIB = 1 << 20


def good_xlsx() -> bytes:
    """A roster of two students."""
    return rosters.xlsx(rosters.table(rosters.student(1), rosters.student(2)))


def rezipped(
    data: bytes,
    change: Callable[[str, bytes], bytes] = lambda name, content: content,
    added: Iterable[tuple[str, bytes]] = (),
) -> bytes:
    """The archive with its parts changed and others added."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for entry in old.infolist():
            new.writestr(entry.filename, change(entry.filename, old.read(entry)))
        for name, content in added:
            new.writestr(name, content)
    return out.getvalue()


def with_sheet(xml: str) -> bytes:
    """A workbook whose sheet is this XML."""
    return rezipped(good_xlsx(), lambda name, content: xml.encode() if name == SHEET else content)


def with_rows(rows: str) -> bytes:
    """A workbook whose sheet has these rows."""
    return with_sheet(_SHEET_HEAD + rows + _SHEET_TAIL)


def far_cell(reference: str = "XFD1048576") -> bytes:
    """One cell in the last corner: a dense reader asks for 512 GiB."""
    row = reference.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return with_rows(f'<row r="{row}"><c r="{reference}"><v>1</v></c></row>')


def filled_rows(count: int = 200_300) -> bytes:
    """More rows than a roster may have, each with something in it."""
    return with_rows(
        "".join(f'<row r="{n}"><c r="A{n}"><v>1</v></c></row>' for n in range(1, count + 1))
    )


def wide_row(*, placed: bool, columns: int = 16_384) -> bytes:
    """A row as wide as a sheet can be, its cells with or without their places."""
    cells = "".join(
        f'<c r="{letters(column)}1"><v>1</v></c>' if placed else "<c><v>1</v></c>"
        for column in range(1, columns + 1)
    )
    return with_rows(f'<row r="1">{cells}</row>')


def letters(column: int) -> str:
    """The name of a column from 1 on."""
    text = ""
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def bomb(part: str = SHEET, mebibytes: int = 64) -> bytes:
    """A part of nothing but one byte, packed a thousand to one."""
    return rezipped(good_xlsx(), added=[(part.replace("1", "9"), b" " * mebibytes * _MIB)])


def lying_bomb(mebibytes: int = 64) -> bytes:
    """A bomb whose entry claims to be small."""
    data = bytearray(bomb(mebibytes=mebibytes))
    size = struct.pack("<I", mebibytes * _MIB)
    return bytes(data.replace(size, struct.pack("<I", 1000)))


def entities(encoding: str = "utf-8") -> bytes:
    """Billion laughs in the shared strings."""
    xml = (
        f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE sst [<!ENTITY a "aaaaaaaaaa">'
        '<!ENTITY b "&a;&a;&a;&a;&a;">]><sst><si><t>&b;</t></si></sst>'
    )
    return rezipped(good_xlsx(), added=[("xl/extra.xml", xml.encode(encoding))])


def entities_in_sheet() -> bytes:
    """A file of the machine asked for from the sheet itself."""
    xml = _SHEET_HEAD.replace(
        "<worksheet", '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><worksheet'
    )
    return with_sheet(f'{xml}<row r="1"><c r="A1" t="str"><v>&e;</v></c></row>{_SHEET_TAIL}')


def external_link() -> bytes:
    """A link to another workbook."""
    return rezipped(good_xlsx(), added=[("xl/externalLinks/externalLink1.xml", b"<externalLink/>")])


def external_image() -> bytes:
    """A picture that a server elsewhere would be asked for."""
    relation = (
        b'<Relationships><Relationship Id="r" Type="http://x/image" '
        b'Target="http://example.com/a.png" TargetMode="External"/></Relationships>'
    )
    return rezipped(good_xlsx(), added=[("xl/drawings/_rels/drawing1.xml.rels", relation)])


def hyperlinked() -> bytes:
    """A harmless one: a cell with a mail address."""
    relation = (
        b'<Relationships><Relationship Id="r" Type="http://schemas.openxmlformats.org/'
        b'officeDocument/2006/relationships/hyperlink" Target="mailto:a@example.com" '
        b'TargetMode="External"/></Relationships>'
    )
    return rezipped(good_xlsx(), added=[("xl/worksheets/_rels/sheet1.xml.rels", relation)])


def macros() -> bytes:
    """A workbook with a macro project."""
    return rezipped(good_xlsx(), added=[("xl/vbaProject.bin", b"\xcc\x61")])


def encrypted_entry() -> bytes:
    """A zip whose entries have the password flag."""
    data = bytearray(good_xlsx())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(mark)
        while at >= 0:
            data[at + offset] |= 1
            at = data.find(mark, at + 4)
    return bytes(data)


def other_zip() -> bytes:
    """A zip with a workbook inside."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("名册.xlsx", good_xlsx())
    return out.getvalue()


def docx() -> bytes:
    """Another office format."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", "<document/>")
    return out.getvalue()


def png() -> bytes:
    """A picture of one pixel."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0\0")
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def ods_of(content: str, **parts: str) -> bytes:
    """An ods with this table XML, and other parts by name (`__` for `/`)."""
    return _ods(
        '<?xml version="1.0" encoding="UTF-8"?><office:document-content '
        'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
        'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0">'
        "<office:body>"
        f'<office:spreadsheet><table:table table:name="S">{content}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>",
        parts,
    )


def _ods(content: str, parts: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", parts.pop("manifest", "<manifest/>"))
        for name, text in parts.items():
            archive.writestr(name.replace("__", "/"), text)
    return out.getvalue()


def ods_far_cell() -> bytes:
    """A value after a million repeated rows."""
    value = '<table:table-cell office:value-type="float" office:value="1"/>'
    return ods_of(
        '<table:table-row table:number-rows-repeated="1000000"/>'
        f"<table:table-row>{value}</table:table-row>"
    )


def ods_repeated() -> bytes:
    """One value in every cell of the sheet."""
    return ods_of(
        '<table:table-row table:number-rows-repeated="1048576">'
        '<table:table-cell table:number-columns-repeated="16384" office:value-type="float" '
        'office:value="1"/></table:table-row>'
    )


def ods_with_link() -> bytes:
    """A table fetched from elsewhere."""
    return ods_of('<table:table-source xlink="file:///etc/passwd"/>')


def ods_with_entities() -> bytes:
    """A document type in the content."""
    return _ods('<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', {})
