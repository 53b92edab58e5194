"""What a file is, by its content and never by its name; refused here before it is parsed."""

from dataclasses import dataclass

from importers import biff, compound, ooxml, opendocument
from importers.archive import Archive, plain_name
from importers.limits import Limits, Refused
from importers.survey import Survey
from importers.text_table import TextTable

_ZIP = b"PK\x03\x04"
_EMPTY_ZIPS = (b"PK\x05\x06", b"PK\x07\x08")
_ODS_PARTS = frozenset({"content.xml", "mimetype"})
# What begins like text and is none.
_NO_TABLES = (
    b"%PDF-",
    b"{\\rtf",
    b"\x1f\x8b",
    b"\x89PNG",
    b"GIF8",
    b"\xff\xd8\xff",
    b"Rar!",
    b"7z",
)


@dataclass(frozen=True, slots=True)
class Inspected:
    """A workbook that may be parsed, with what was seen of its sheets; or a text table."""

    survey: Survey | None = None
    text: TextTable | None = None
    is_xlsx: bool = False


def inspect(data: bytes, limits: Limits) -> Inspected:
    """Looks the raw file through; raises Refused with one of the contract's `file.*` codes."""
    if not data:
        raise Refused.because("file.unreadable", "文件是空的")
    if len(data) > limits.file_bytes:
        raise Refused.because("file.too-large", f"上限 {limits.file_bytes // 2**20} MB")
    if data.startswith(_ZIP):
        archive = Archive(data, limits)
        names = {plain_name(entry) for entry in archive.entries}
        if ooxml.CONTENT_TYPES in names:
            return Inspected(ooxml.survey_workbook(archive, limits), is_xlsx=True)
        if names & _ODS_PARTS:
            return Inspected(opendocument.survey_workbook(archive, limits))
        raise Refused.because("file.unreadable", "是压缩包，不是工作簿")
    if data.startswith(compound.MAGIC):
        return Inspected(biff.survey_workbook(compound.Compound(data), limits))
    if data.startswith(_NO_TABLES + _EMPTY_ZIPS):
        raise Refused.because("file.unreadable")
    return Inspected(text=TextTable(data, limits))
