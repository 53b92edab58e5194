"""What a file is, by its content and never by its name; refused here before it is parsed."""

from collections.abc import Iterator

from importers import biff, compound, ooxml, opendocument, package
from importers.archive import Archive, plain_name
from importers.cells import Value
from importers.encryption import with_default_password
from importers.limits import Limits, Refused
from importers.no_tables import what_bytes_are
from importers.sheets import Book, Content, Row, Sheet
from importers.survey import SheetSurvey
from importers.text_table import TextTable

_ZIP = b"PK\x03\x04"
_XLSX_PARTS = frozenset({package.CONTENT_TYPES, package.RELATIONS, package.WORKBOOK})
_ODS_PARTS = frozenset({"content.xml", "mimetype"})
# What scripts let slip before the workbook that they send.
_SLIPPED = b" \t\r\n\xef\xbb\xbf"


def inspect(data: bytes, limits: Limits) -> Book:
    """The file's sheets; raises Refused with one of the contract's `file.*` codes."""
    if not data:
        raise Refused.because("file.unreadable", "文件是空的")
    if len(data) > limits.file_bytes:
        raise Refused.because("file.too-large", f"上限 {limits.file_bytes // 2**20} MB")
    bare = data.lstrip(_SLIPPED)
    if bare.startswith(_ZIP):
        return _zipped(bare, limits)
    if bare.startswith(compound.MAGIC):
        container = compound.Compound(bare)
        if "EncryptedPackage" in container.names:
            return _zipped(with_default_password(bare), limits)
        return Book(biff.sheets_of(container, limits))
    if what := what_bytes_are(data) or what_bytes_are(bare):
        raise Refused.because("file.unreadable", what)
    return Book([_text_sheet(TextTable(data, limits))])


def _zipped(data: bytes, limits: Limits) -> Book:
    archive = Archive(data, limits)
    names = {plain_name(entry) for entry in archive.entries}
    if names & _XLSX_PARTS:
        return Book(ooxml.sheets_of(archive, limits), data)
    if names & _ODS_PARTS:
        return Book(opendocument.sheets_of(archive, limits))
    raise Refused.because("file.unreadable", "是压缩包，不是工作簿")


def _text_sheet(table: TextTable) -> Sheet:
    survey = SheetSurvey(last_row=table.rows)

    def rows() -> Iterator[Row]:
        yield from enumerate(map(list[Value], table.records()), 1)

    return Sheet("", False, lambda: Content(survey, rows))
