"""xlsx before it is parsed: entities, links, macros, far cells; and what readers leave out."""

import posixpath
import re
import zipfile
from collections.abc import Iterator
from functools import lru_cache
from xml.etree import ElementTree as ET

from importers.archive import Archive, plain_name, refuse_declaration, refuse_declarations
from importers.cells import Unusable
from importers.limits import Limits, Refused
from importers.survey import SheetSurvey, Survey

CONTENT_TYPES = "[content_types].xml"
_WORKBOOK = "xl/workbook.xml"
_BINARY_WORKBOOK = "xl/workbook.bin"
_RELATIONS = "xl/_rels/workbook.xml.rels"
_XML = (".xml", ".vml")
# Parts that are read whole: longer ones are no honest workbook's.
_LONGEST_INDEX = 8 << 20
# One row of 256 cells of 32,767 characters each takes less.
_LONGEST_ROW = 32 << 20
_EXTERNAL = re.compile(rb"<[^<>]*TargetMode\s*=\s*[\"']External[\"'][^<>]*>")


def survey_workbook(archive: Archive, limits: Limits) -> Survey:
    """Looks at every part; raises Refused, or tells what it saw of each sheet, by name."""
    parts = {plain_name(entry): entry for entry in archive.entries}
    if _BINARY_WORKBOOK in parts:
        raise Refused.because("file.unreadable", "不支持 xlsb 格式")
    if _WORKBOOK not in parts:
        raise Refused.because("file.unreadable", "内容不是 xlsx 工作簿")
    _refuse_by_name(parts)
    sheets = _sheets(archive, parts)
    if len(sheets) > limits.sheets:
        raise Refused.because("file.unsafe", "工作表过多")
    surveys: dict[str, SheetSurvey] = {}
    # The archive may name one part twice; each is looked at.
    for entry in archive.entries:
        name = plain_name(entry)
        if name.startswith("xl/worksheets/") or name in sheets.values():
            if name.endswith(".xml"):
                surveys[name] = _SheetScan(limits).scan(archive.chunks(entry))
        elif name.endswith(".rels"):
            _check_relations(archive.read(entry))
        elif name.endswith(_XML):
            refuse_declarations(archive.chunks(entry))
    return Survey(lambda _, title: surveys.get(sheets.get(title, ""), SheetSurvey()))


def _refuse_by_name(parts: dict[str, zipfile.ZipInfo]) -> None:
    for name in parts:
        if posixpath.basename(name).startswith("vbaproject") or name.startswith("xl/macrosheets/"):
            raise Refused.because("file.macros")
    for name in parts:
        if name.startswith("xl/externallinks/"):
            raise Refused.because("file.unsafe", "含有外部链接")


def _index(archive: Archive, entry: zipfile.ZipInfo) -> ET.Element:
    if entry.file_size > _LONGEST_INDEX:
        raise Refused.because("file.unsafe", "目录部分过大")
    text = archive.read(entry)
    refuse_declaration(text)
    try:
        return ET.fromstring(text)  # noqa: S314 - declarations were refused above
    except (ET.ParseError, ValueError, LookupError) as error:
        raise Refused.because("file.unreadable", "工作簿目录已损坏") from error


def _sheets(archive: Archive, parts: dict[str, zipfile.ZipInfo]) -> dict[str, str]:
    """The part of each sheet, by the sheet's name."""
    targets: dict[str, str] = {}
    if _RELATIONS in parts:
        for relation in _index(archive, parts[_RELATIONS]):
            path = posixpath.join("/xl", relation.get("Target", "").replace("\\", "/"))
            targets[relation.get("Id", "")] = posixpath.normpath(path).lstrip("/").lower()
    found: dict[str, str] = {}
    for element in _index(archive, parts[_WORKBOOK]).iter():
        if element.tag.endswith("}sheet"):
            key = next((v for k, v in element.attrib.items() if k.endswith("}id")), "")
            found[element.get("name", "")] = targets.get(key, "")
    return found


def _check_relations(text: bytes) -> None:
    refuse_declaration(text)
    # Hyperlinks in cells are the one harmless kind that points outside.
    if any(b"/hyperlink" not in tag for tag in _EXTERNAL.findall(text)):
        raise Refused.because("file.unsafe", "含有外部链接")


# Beyond column IV or row 199,999: quick to find, and looked at closely when found.
_FAR_HINT = re.compile(
    rb"""r=["'](?:(?:[A-Z]{3}|[J-Z][A-Z]|I[W-Z])[0-9]|[A-Z]{1,2}(?:[2-9][0-9]{5}|[0-9]{7}))"""
)


class _Patterns:
    """Of a sheet whose elements carry this namespace prefix (`x:`), most often none."""

    def __init__(self, prefix: bytes) -> None:
        p = re.escape(prefix)
        self.row_start = b"<" + prefix + b"row"
        self.formula_start = b"<" + prefix + b"f"
        self.row = re.compile(rb"<" + p + rb"row(?=[\s/>])([^>]*)>(</" + p + rb"row>)?")
        self.row_number = re.compile(rb"""(?<![\w:])r\s*=\s*["']\s*([0-9]+)""")
        self.hidden = re.compile(rb"""(?<![\w:])hidden\s*=\s*["'](?:1|true)["']""")
        self.placed = re.compile(rb"<" + p + rb"""c\s(?:[^<>]*?\s)?r=["']([A-Z]+)([0-9]+)""")
        # Nearly all programs write a cell's place as its first attribute.
        self.maybe_unplaced = re.compile(rb"<" + p + rb"c(?: (?!r=)|[/>])")
        self.unplaced = re.compile(rb"<" + p + rb"c(?:\s*/?>|\s(?![^<>]*\br\s*=))")
        self.cell = re.compile(
            rb"<" + p + rb"c(?=[\s>])([^>]*)(?<!/)>(.*?)</" + p + rb"c\s*>", re.DOTALL
        )
        self.value = re.compile(rb"<" + p + rb"v(?:\s[^>]*)?>([^<]*)")
        self.merged = re.compile(
            rb"<" + p + rb"""mergeCell\s[^>]*?ref\s*=\s*["']([A-Z]+)([0-9]+):([A-Z]+)([0-9]+)"""
        )
        self.dimension = re.compile(
            rb"<" + p + rb"""dimension\s[^>]*?ref\s*=\s*["'](?:[A-Z]+[0-9]+:)?([A-Z]+)([0-9]+)"""
        )


_patterns = lru_cache(maxsize=8)(_Patterns)
_PREFIX = re.compile(rb"<(\w+:)?worksheet[\s>]")
_PLACE = re.compile(rb"""(?<![\w:])r\s*=\s*["']([A-Z]{1,3})([0-9]{1,7})["']""")
_ERROR_TYPE = re.compile(rb"""(?<![\w:])t\s*=\s*["']e["']""")
_TEXT_TYPE = re.compile(rb"""(?<![\w:])t\s*=\s*["']str["']""")
_ERROR_HINTS = (b'"e"', b"'e'")


def _row_limit(limits: Limits) -> str:
    return f"上限 {limits.rows} 行，空行也计算在内"


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


class _SheetScan:
    """One pass over a sheet's bytes, in blocks of whole rows; no tree is built."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._survey = SheetSurvey()
        self._corners: list[tuple[int, int]] = []
        self._rows = self._row = self._last_row = 0
        self._patterns = _patterns(b"")

    def scan(self, chunks: Iterator[bytes]) -> SheetSurvey:
        """Raises Refused for what is far, too many, or declared."""
        tail = b""
        first = True
        for chunk in chunks:
            if first:
                prefix = _PREFIX.search(chunk)
                self._patterns = _patterns(prefix[1] or b"" if prefix else b"")
                first = False
            block = tail + chunk
            cut = block.rfind(self._patterns.row_start)
            # What is before the first row is short; without a row start, tags must stay whole.
            cut = cut if cut > 0 else block.rfind(b"<")
            tail = block[max(cut, 0) :]
            if len(tail) > _LONGEST_ROW:
                raise Refused.because("file.unsafe", "单行内容过大")
            self._block(block[: max(cut, 0)])
        self._block(tail)
        return self._finish()

    def _block(self, block: bytes) -> None:
        refuse_declaration(block)
        self._find_rows(block)
        self._check_places(block)
        if any(hint in block for hint in (self._patterns.formula_start, *_ERROR_HINTS)):
            self._find_unusable(block)
        self._find_areas(block)

    def _check_places(self, block: bytes) -> None:
        patterns = self._patterns
        if _FAR_HINT.search(block):
            for letters, row in patterns.placed.findall(block):
                if _column(letters) > self._limits.columns or int(row) > self._limits.rows:
                    raise Refused.because("file.unsafe", "有离数据很远的单元格")
        if patterns.maybe_unplaced.search(block) and any(
            len(patterns.unplaced.findall(row)) > self._limits.columns
            for row in block.split(patterns.row_start)
        ):
            raise Refused.because("file.unsafe", "列数过多")

    def _find_rows(self, block: bytes) -> None:
        patterns = self._patterns
        for attributes, closing in patterns.row.findall(block):
            number = patterns.row_number.search(attributes)
            self._row = int(number[1]) if number else self._row + 1
            # Programs end a sheet with one empty row that says how all the rest look.
            if not closing and not attributes.endswith(b"/"):
                self._last_row = max(self._last_row, self._row)
            if b"hidden" in attributes and patterns.hidden.search(attributes):
                self._survey.hidden_rows.add(self._row)
            self._rows += 1
            if self._rows > self._limits.rows:
                raise Refused.because("file.too-many-rows", _row_limit(self._limits))

    def _finish(self) -> SheetSurvey:
        if self._last_row > self._limits.rows and self._rows > self._limits.rows // 2:
            raise Refused.because("file.too-many-rows", _row_limit(self._limits))
        for row, column in [(self._last_row, 1), *self._corners]:
            self._survey.reach(row, column, self._limits)
        return self._survey

    def _find_areas(self, block: bytes) -> None:
        dimension = self._patterns.dimension.search(block) if b"dimension" in block else None
        if dimension:
            self._corners.append((int(dimension[2]), _column(dimension[1])))
        if b"mergeCell" not in block:
            return
        for left, top, right, bottom in self._patterns.merged.findall(block):
            area = (int(top), _column(left), int(bottom), _column(right))
            self._survey.merge(area, self._limits)

    def _find_unusable(self, block: bytes) -> None:
        patterns = self._patterns
        for attributes, body in patterns.cell.findall(block):
            is_error = _ERROR_TYPE.search(attributes)
            if not is_error and patterns.formula_start not in body:
                continue
            value = patterns.value.search(body)
            shown = value[1].decode("utf-8", "replace").strip() if value else ""
            # A text formula with an empty <v> has a stored value: the empty text.
            if not is_error and (shown or (value and _TEXT_TYPE.search(attributes))):
                continue
            place = _PLACE.search(attributes)
            if place:
                self._survey.mark(int(place[2]), _column(place[1]), Unusable(shown))
