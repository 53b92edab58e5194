"""ods before it is parsed: password, macros, links, far cells; and what readers leave out."""

import re
from collections.abc import Iterator
from xml.parsers import expat

from importers.archive import Archive, plain_name, refuse_declarations
from importers.cells import Unusable
from importers.limits import Limits, Refused
from importers.survey import SheetSurvey, Survey

_TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0 "
_OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0 "
_LINKS = frozenset({_TABLE + "table-source", _TABLE + "cell-range-source", _OFFICE + "dde-source"})
_OUTSIDE = re.compile(r"'(?:file|https?|ftp|smb):", re.IGNORECASE)
_LONGEST_MANIFEST = 8 << 20


def survey_workbook(archive: Archive, limits: Limits) -> Survey:
    """Reads through the content; raises Refused, or tells what it saw of each sheet, by name."""
    parts = {plain_name(entry): entry for entry in archive.entries}
    manifest = parts.get("meta-inf/manifest.xml")
    if manifest and manifest.file_size > _LONGEST_MANIFEST:
        raise Refused.because("file.unsafe", "目录部分过大")
    if manifest and b"encryption-data" in archive.read(manifest):
        raise Refused.because("file.encrypted")
    if "content.xml" not in parts:
        raise Refused.because("file.unreadable", "内容不是 ods 工作簿")
    if any(_is_macro(name) for name in parts):
        raise Refused.because("file.macros")
    scan = _ContentScan(limits)
    for name, entry in parts.items():
        if name == "content.xml":
            _follow(archive.chunks(entry), scan)
        elif name.endswith(".xml") and not name.startswith("meta-inf/"):
            # Old programs give the manifest, which nobody parses, a document type.
            refuse_declarations(archive.chunks(entry))
    return Survey(lambda _, title: scan.sheets.get(title, SheetSurvey()))


def _is_macro(name: str) -> bool:
    if name.startswith("basic/"):
        return not name.endswith(("script-lc.xml", "script-lb.xml"))
    return name.startswith("scripts/")


def _follow(chunks: Iterator[bytes], scan: "_ContentScan") -> None:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = scan.start
    try:
        for chunk in chunks:
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise Refused.because("file.unreadable", "工作簿内容已损坏") from error


def _refuse_doctype(*_: object) -> None:
    raise Refused.because("file.unsafe", "含有实体定义")


class _ContentScan:
    """Follows rows and cells; empty repeated ones cost nothing, as in every ods file's end."""

    def __init__(self, limits: Limits) -> None:
        self.sheets: dict[str, SheetSurvey] = {}
        self._limits = limits
        self._sheet = SheetSurvey()
        self._row = self._next_row = self._column = 1

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins; raises Refused for links and far cells."""
        if tag in _LINKS:
            raise Refused.because("file.unsafe", "含有外部链接")
        if tag == _TABLE + "table":
            self._sheet = SheetSurvey()
            self.sheets[attributes.get(_TABLE + "name", "")] = self._sheet
            self._next_row = 1
            if len(self.sheets) > self._limits.sheets:
                raise Refused.because("file.unsafe", "工作表过多")
        elif tag == _TABLE + "table-row":
            self._start_row(attributes)
        elif tag in (_TABLE + "table-cell", _TABLE + "covered-table-cell"):
            self._start_cell(attributes)

    def _start_row(self, attributes: dict[str, str]) -> None:
        self._row = self._next_row
        self._next_row += _count(attributes, "number-rows-repeated")
        self._column = 1
        hidden = attributes.get(_TABLE + "visibility") in ("collapse", "filter")
        if hidden:
            last = min(self._next_row, self._limits.rows + 1)
            self._sheet.hidden_rows.update(range(self._row, last))

    def _start_cell(self, attributes: dict[str, str]) -> None:
        column = self._column
        self._column += _count(attributes, "number-columns-repeated")
        if not attributes:
            return
        has_value = _OFFICE + "value-type" in attributes
        formula = attributes.get(_TABLE + "formula")
        if has_value or formula is not None:
            self._sheet.reach(self._next_row - 1, self._column - 1, self._limits)
        if formula is not None:
            if _OUTSIDE.search(formula):
                raise Refused.because("file.unsafe", "含有外部链接")
            if not has_value:
                self._sheet.mark(self._row, column, Unusable())
        rows = _count(attributes, "number-rows-spanned")
        if rows > 1:
            right = column + _count(attributes, "number-columns-spanned") - 1
            self._sheet.merge((self._row, column, self._row + rows - 1, right), self._limits)


def _count(attributes: dict[str, str], name: str) -> int:
    return max(int(attributes.get(_TABLE + name, "1")), 1)
