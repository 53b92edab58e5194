"""A sheet of xlsx written plainly, where the fast reader would misread it or not read it at all."""

import io
import re
from collections.abc import Iterator
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from importers.limits import Limits, Refused
from importers.sheet_scan import column_number

_SPACES = frozenset(
    {
        "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
        "http://purl.oclc.org/ooxml/spreadsheetml/main",
        "",
    }
)
_PLACE = re.compile(r"\s*\$?([A-Za-z]{1,3})\$?([0-9]{1,7})\s*")
_RANGE = re.compile(r"([A-Z]{0,3})([0-9]{0,7}):([A-Z]{0,3})([0-9]{0,7})")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_ERRORS = frozenset({"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"})
_TRUE = frozenset({"1", "true", "on"})
_HEAD = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'


class _Enough(Exception):
    """All rows that were asked for are written."""


def plain_sheet(chunks: Iterator[bytes], limits: Limits, top: int | None = None) -> bytes:
    """The rows and merged ranges, each cell with its place, nothing empty; or the first rows alone.

    Raises Refused for XML that is damaged.
    """
    writer = _Writer(limits, top)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = writer.start
    parser.EndElementHandler = writer.end
    parser.CharacterDataHandler = writer.text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        for chunk in chunks:
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except _Enough:
        pass
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise Refused.because("file.unreadable", "工作表内容已损坏") from error
    return writer.content()


def _refuse_doctype(*_: object) -> None:
    raise Refused.because("file.unsafe", "含有实体定义")


class _Writer:
    """Follows rows and cells by their names in the format's own namespaces."""

    def __init__(self, limits: Limits, top: int | None) -> None:
        self._limits = limits
        self._top = top
        self._out = io.BytesIO()
        self._merged: list[str] = []
        self._row = self._column = 0
        self._path: list[str] = []
        self._cell: dict[str, str] | None = None
        self._parts: list[str] = []
        self._has_value = self._has_formula = False
        self._add(_HEAD)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        space, _, name = tag.rpartition(" ")
        name = name if space in _SPACES else "?"
        self._path.append(name)
        if self._cell is not None:
            self._has_formula = self._has_formula or name == "f"
            self._has_value = self._has_value or name in ("v", "is")
        elif name == "row":
            number = attributes.get("r", "").strip()
            self._row = int(number) if number else self._row + 1
            self._column = 0
            if self._top is not None and self._row > self._top:
                raise _Enough
            hidden = ' hidden="1"' if attributes.get("hidden", "").lower() in _TRUE else ""
            self._add(f'<row r="{self._row}"{hidden}>')
        elif name == "c" and "row" in self._path:
            self._cell = attributes
            self._parts.clear()
            self._has_value = self._has_formula = False
        elif name == "mergeCell":
            self._merge(attributes.get("ref", ""))

    def _merge(self, reference: str) -> None:
        """Of whole rows (`1:1`) and columns (`A:A`) too, as some programs write them."""
        if found := _RANGE.fullmatch(reference.replace("$", "").strip()):
            left, top, right, bottom = found.groups()
            first, last = f"{left or 'A'}{top or 1}", f"{right or 'XFD'}{bottom or 1048576}"
            self._merged.append(f'<mergeCell ref="{first}:{last}"/>')

    def text(self, text: str) -> None:
        """A piece of an element's text."""
        if self._cell is None:
            return
        # Readings of characters (rPh) stand beside the text and are none of it.
        if self._path[-1] == "v" or (self._path[-1] == "t" and "rPh" not in self._path):
            self._parts.append(text)

    def end(self, tag: str) -> None:
        """An element ends."""
        name = self._path.pop()
        if name == "c" and self._cell is not None:
            self._write(self._cell)
            self._cell = None
        elif name == "row":
            self._add("</row>")

    def _write(self, attributes: dict[str, str]) -> None:
        place = _PLACE.fullmatch(attributes.get("r", ""))
        row = int(place[2]) if place else self._row
        self._column = column_number(place[1].encode()) if place else self._column + 1
        far = row > self._limits.rows or self._column > self._limits.columns
        if far and self._top is not None:
            return
        style = f" s={quoteattr(attributes['s'])}" if attributes.get("s", "").isdigit() else ""
        kind, value = _typed(attributes.get("t", "n"), "".join(self._parts))
        if far and kind == "e":
            return
        if kind != "e" and not value:
            if self._has_formula and not (self._has_value and attributes.get("t") == "str"):
                self._add(f'<c r="{_letters(self._column)}{row}"><f/></c>')
            return
        head = f'<c r="{_letters(self._column)}{row}"{style} t="{kind}">'
        inside = f'<is><t xml:space="preserve">{escape(value)}</t></is>'
        self._add(f"{head}{inside if kind == 'inlineStr' else f'<v>{escape(value)}</v>'}</c>")

    def _add(self, xml: str) -> None:
        self._out.write(xml.encode("utf-8", "replace"))

    def content(self) -> bytes:
        """The sheet."""
        merged = f"<mergeCells>{''.join(self._merged)}</mergeCells>" if self._merged else ""
        self._add(f"{'</row>' if 'row' in self._path[:-1] else ''}</sheetData>{merged}</worksheet>")
        return self._out.getvalue()


def _typed(kind: str, text: str) -> tuple[str, str]:
    """The cell's type and value as every reader knows them."""
    bare = text.strip()
    if kind == "n" and _NUMBER.fullmatch(bare):
        return "n", bare
    if kind in ("s", "d"):
        return kind, bare
    if kind == "b":
        return "b", ("1" if bare.lower() in _TRUE else "0") if bare else ""
    if kind == "e":
        return "e", bare if bare in _ERRORS else "#N/A"
    return ("str", text) if kind == "str" else ("inlineStr", text if bare else "")


def _letters(column: int) -> str:
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
