"""ods: password, macros, links, document types are looked for while the sheets are read."""

import zipfile
from collections.abc import Iterator
from xml.parsers import expat

from importers.archive import Archive, plain_name, refuse_declarations
from importers.limits import Limits, Refused
from importers.opendocument_sheet import TABLE, SheetReader, refuse_link
from importers.sheets import Sheet

_CONTENT = "content.xml"
_STYLE = "urn:oasis:names:tc:opendocument:xmlns:style:1.0 "
_LONGEST_MANIFEST = 8 << 20


def sheets_of(archive: Archive, limits: Limits) -> list[Sheet]:
    """The sheets; raises Refused for what no workbook of ours may hold."""
    parts = {plain_name(entry): entry for entry in archive.entries}
    _refuse_by_parts(archive, parts)
    for name, entry in parts.items():
        # Old programs give the manifest, which nobody parses, a document type.
        if name.endswith(".xml") and name != _CONTENT and not name.startswith("meta-inf/"):
            refuse_declarations(archive.chunks(entry))
    reader = _ContentReader(limits)
    reader.follow(archive.chunks(parts[_CONTENT]))
    if sum(not sheet.hidden for sheet in reader.sheets) > limits.sheets:
        raise Refused.because("file.unsafe", "工作表过多")
    return reader.sheets


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


class _ContentReader:
    """Goes through the content once; while a sheet lasts, its reader follows the parser."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._style = ""
        self._hidden: set[str] = set()
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = _refuse_doctype
        self._between()
        self.sheets: list[Sheet] = []

    def follow(self, chunks: Iterator[bytes]) -> None:
        """Reads the content; raises Refused where it is damaged or holds what it may not."""
        try:
            for chunk in chunks:
                self._parser.Parse(chunk, False)
            self._parser.Parse(b"", True)
        except (expat.ExpatError, ValueError, LookupError) as error:
            raise Refused.because("file.unreadable", "工作簿内容已损坏") from error

    def _between(self) -> None:
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = None
        self._parser.CharacterDataHandler = None

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        refuse_link(tag)
        if tag == TABLE + "table":
            reader = SheetReader(self._limits, self._between)
            self._parser.StartElementHandler = reader.start
            self._parser.EndElementHandler = reader.end
            self._parser.CharacterDataHandler = reader.text
            name, style = (attributes.get(TABLE + key, "") for key in ("name", "style-name"))
            self.sheets.append(Sheet(name, style in self._hidden, reader.content))
        elif tag == _STYLE + "style":
            self._style = attributes.get(_STYLE + "name", "")
        elif tag == _STYLE + "table-properties" and attributes.get(TABLE + "display") == "false":
            self._hidden.add(self._style)


def _refuse_doctype(*_: object) -> None:
    raise Refused.because("file.unsafe", "含有实体定义")
