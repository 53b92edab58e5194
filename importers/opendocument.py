"""ods before it is read: password, macros, links, document types; and which sheets there are."""

import re
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from xml.parsers import expat

from importers.archive import Archive, plain_name, refuse_declarations
from importers.limits import Limits, Refused
from importers.opendocument_sheet import OFFICE, TABLE, SheetReader
from importers.sheets import Content, Sheet

_CONTENT = "content.xml"
_STYLE = "urn:oasis:names:tc:opendocument:xmlns:style:1.0 "
_LINKS = frozenset({TABLE + "table-source", TABLE + "cell-range-source", OFFICE + "dde-source"})
_OUTSIDE = re.compile(r"'(?:file|https?|ftp|smb):", re.IGNORECASE)
_LONGEST_MANIFEST = 8 << 20


def sheets_of(archive: Archive, limits: Limits) -> list[Sheet]:
    """The sheets; raises Refused for what no workbook of ours may hold."""
    parts = {plain_name(entry): entry for entry in archive.entries}
    _refuse_by_parts(archive, parts)
    outline = _Outline()
    for name, entry in parts.items():
        if name == _CONTENT:
            _follow(archive.chunks(entry), outline.start)
        elif name.endswith(".xml") and not name.startswith("meta-inf/"):
            # Old programs give the manifest, which nobody parses, a document type.
            refuse_declarations(archive.chunks(entry))
    if sum(not hidden for _, hidden in outline.sheets) > limits.sheets:
        raise Refused.because("file.unsafe", "工作表过多")
    load = partial(_load, archive, parts[_CONTENT], limits)
    return [
        Sheet(name, hidden, partial(load, place))
        for place, (name, hidden) in enumerate(outline.sheets)
    ]


def _refuse_by_parts(archive: Archive, parts: dict[str, zipfile.ZipInfo]) -> None:
    manifest = parts.get("meta-inf/manifest.xml")
    if manifest and manifest.file_size > _LONGEST_MANIFEST:
        raise Refused.because("file.unsafe", "目录部分过大")
    if manifest and b"encryption-data" in archive.read(manifest):
        raise Refused.because("file.encrypted")
    if _CONTENT not in parts:
        raise Refused.because("file.unreadable", "内容不是 ods 工作簿")
    if any(_is_macro(name) for name in parts):
        raise Refused.because("file.macros")


def _is_macro(name: str) -> bool:
    if name.startswith("basic/"):
        return not name.endswith(("script-lc.xml", "script-lb.xml"))
    return name.startswith("scripts/")


def _follow(
    chunks: Iterator[bytes],
    start: Callable[[str, dict[str, str]], None],
    reader: SheetReader | None = None,
) -> None:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = start
    if reader:
        parser.EndElementHandler = reader.end
        parser.CharacterDataHandler = reader.text
    try:
        for chunk in chunks:
            parser.Parse(chunk, False)
            if reader and reader.is_done:
                return
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise Refused.because("file.unreadable", "工作簿内容已损坏") from error


def _refuse_doctype(*_: object) -> None:
    raise Refused.because("file.unsafe", "含有实体定义")


def _load(archive: Archive, entry: zipfile.ZipInfo, limits: Limits, place: int) -> Content:
    reader = SheetReader(place, limits)
    _follow(archive.chunks(entry), reader.start, reader)
    return Content(reader.finished(), reader.rows)


class _Outline:
    """The sheets' names and whether they are hidden; refuses links."""

    def __init__(self) -> None:
        self.sheets: list[tuple[str, bool]] = []
        self._style = ""
        self._hidden: set[str] = set()

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        if tag in _LINKS:
            raise Refused.because("file.unsafe", "含有外部链接")
        if tag == TABLE + "table":
            if TABLE + "is-sub-table" not in attributes:
                hidden = attributes.get(TABLE + "style-name", "") in self._hidden
                self.sheets.append((attributes.get(TABLE + "name", ""), hidden))
        elif tag == _STYLE + "style":
            self._style = attributes.get(_STYLE + "name", "")
        elif tag == _STYLE + "table-properties":
            if attributes.get(TABLE + "display") == "false":
                self._hidden.add(self._style)
        elif _OUTSIDE.search(attributes.get(TABLE + "formula", "")):
            raise Refused.because("file.unsafe", "含有外部链接")
