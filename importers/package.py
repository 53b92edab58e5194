"""xlsx as a package: its parts are found by their relationships, never by what they are called."""

import posixpath
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote
from xml.etree import ElementTree as ET
from xml.sax.saxutils import quoteattr

from importers.archive import Archive, plain_name, refuse_declaration
from importers.limits import Refused

CONTENT_TYPES = "[content_types].xml"
RELATIONS = "_rels/.rels"
WORKBOOK = "xl/workbook.xml"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONSHIPS = "http://schemas.openxmlformats.org/package/2006/relationships"
# Parts that are read whole: longer ones are no honest workbook's.
_LONGEST_INDEX = 8 << 20
_MACROS = frozenset({"vbaproject", "xlmacrosheet", "xlintlmacrosheet"})
# The one harmless kind that points outside: a mail address in a cell.
_HYPERLINK = "hyperlink"
_TRUE = frozenset({"1", "true", "on"})
_HIDDEN = frozenset({"hidden", "veryhidden"})
_DAMAGED = "工作簿目录已损坏"


@dataclass(frozen=True, slots=True)
class _Relation:
    key: str
    kind: str
    target: str
    outside: bool


@dataclass(frozen=True, slots=True)
class ListedSheet:
    """A worksheet as the workbook lists it; without a part where that is missing."""

    title: str
    hidden: bool
    part: zipfile.ZipInfo | None


class Package:
    """The parts of an xlsx; raises Refused for macros, links outside, and other documents."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        # Of two parts with one name the later is read, here and later on.
        self.parts = {plain_name(entry): entry for entry in archive.entries}
        self._relations = {
            name: list(self._read_relations(name)) for name in self.parts if name.endswith(".rels")
        }
        self._refuse_macros_and_links()
        self._main = self._find_main()
        self._workbook = self._index(self.parts[self._main])
        if _local(self._workbook) != "workbook":
            raise Refused.because("file.unreadable", "内容不是 xlsx 工作簿")
        self.sheets = list(self._list_sheets())

    def _index(self, entry: zipfile.ZipInfo) -> ET.Element:
        if entry.file_size > _LONGEST_INDEX:
            raise Refused.because("file.unsafe", "目录部分过大")
        text = self._archive.read(entry)
        refuse_declaration(text)
        try:
            return ET.fromstring(text)  # noqa: S314 - declarations were refused above
        except (ET.ParseError, ValueError, LookupError) as error:
            raise Refused.because("file.unreadable", _DAMAGED) from error

    def _read_relations(self, name: str) -> Iterator[_Relation]:
        folder = posixpath.dirname(posixpath.dirname(name))
        entry = self.parts[name]
        for element in self._index(entry) if entry.file_size else ():
            kind = element.get("Type", "").rpartition("/")[2].lower()
            outside = element.get("TargetMode", "").strip().lower() == "external"
            target = element.get("Target", "").strip()
            if not outside:
                target = self._resolved(folder, target.replace("\\", "/"))
            yield _Relation(element.get("Id", ""), kind, target, outside)

    def _resolved(self, folder: str, target: str) -> str:
        path = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/").lower()
        return path if path in self.parts else unquote(path)

    def _refuse_macros_and_links(self) -> None:
        relations = [relation for found in self._relations.values() for relation in found]
        kinds = {relation.kind for relation in relations}
        if kinds & _MACROS or any(
            posixpath.basename(name).startswith("vbaproject") or name.startswith("xl/macrosheets/")
            for name in self.parts
        ):
            raise Refused.because("file.macros")
        if (
            "externallink" in kinds
            or any(name.startswith("xl/externallinks/") for name in self.parts)
            or any(relation.outside and relation.kind != _HYPERLINK for relation in relations)
        ):
            raise Refused.because("file.unsafe", "含有外部链接")

    def _find_main(self) -> str:
        targets = [r.target for r in self._relations.get(RELATIONS, ()) if _is_main(r)]
        main = next((target for target in targets if target in self.parts), WORKBOOK)
        if main.endswith(".bin"):
            raise Refused.because("file.unreadable", "不支持 xlsb 格式")
        if main not in self.parts:
            raise Refused.because("file.unreadable", "内容不是 xlsx 工作簿")
        return main

    def _of_main(self) -> list[_Relation]:
        folder, name = posixpath.split(self._main)
        return self._relations.get(posixpath.join(folder, "_rels", f"{name}.rels"), [])

    def _list_sheets(self) -> Iterator[ListedSheet]:
        relations = {relation.key: relation for relation in self._of_main()}
        listed = [element for element in self._workbook.iter() if _local(element) == "sheet"]
        lost = [element for element in listed if not _key(element)]
        unclaimed = [
            relation
            for key, relation in relations.items()
            if relation.kind == "worksheet" and key not in {_key(element) for element in listed}
        ]
        # With one sheet that says nothing and one part that nobody claims, there is no doubt.
        spare = unclaimed[0] if len(lost) == len(unclaimed) == 1 else None
        for element in listed:
            relation = relations.get(_key(element)) if _key(element) else spare
            if relation is None or relation.kind == "worksheet":
                part = self.parts.get(relation.target) if relation else None
                hidden = element.get("state", "").lower() in _HIDDEN
                yield ListedSheet(element.get("name", ""), hidden, part)

    def _named(self, kind: str, usual: str) -> zipfile.ZipInfo | None:
        found = next((r.target for r in self._of_main() if r.kind == kind), "")
        usual = posixpath.join(posixpath.dirname(self._main), usual)
        return self.parts.get(found) or self.parts.get(usual)

    @property
    def shared(self) -> dict[str, zipfile.ZipInfo]:
        """The parts that all sheets share, by the names under which readers look for them."""
        strings = self._named("sharedstrings", "sharedstrings.xml")
        styles = self._named("styles", "styles.xml")
        pairs = {"xl/sharedStrings.xml": strings, "xl/styles.xml": styles}
        return {name: entry for name, entry in pairs.items() if entry}

    def plain(self, sheets: Mapping[str, zipfile.ZipInfo | bytes]) -> bytes:
        """A plain workbook of these sheets by name: nothing else, and each part where it belongs.

        What was looked at is what is read, whatever the package would have made of it.
        """
        kept, written = dict(self.shared), _directories(list(sheets), self._counts_from_1904)
        for place, part in enumerate(sheets.values(), 1):
            name = f"xl/sheet{place}.xml"
            if isinstance(part, bytes):
                written[name] = part
            else:
                kept[name] = part
        return self._archive.repacked(kept, written)

    @property
    def _counts_from_1904(self) -> bool:
        return any(
            element.get("date1904", "").lower() in _TRUE
            for element in self._workbook
            if _local(element) == "workbookPr"
        )


def _is_main(relation: _Relation) -> bool:
    return relation.kind == "officedocument"


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _key(element: ET.Element) -> str:
    return next((v for k, v in element.attrib.items() if k.rpartition("}")[2] == "id"), "")


def _directories(names: list[str], from_1904: bool) -> dict[str, bytes | str]:
    places = range(1, len(names) + 1)
    sheets = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{place}" r:id="r{place}"/>'
        for place, name in zip(places, names, strict=True)
    )
    relations = "".join(_relation(f"r{n}", "worksheet", f"sheet{n}.xml") for n in places)
    return {
        RELATIONS: _relations(_relation("r1", "officeDocument", WORKBOOK)),
        WORKBOOK: f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
        f'<workbookPr date1904="{from_1904:d}"/><sheets>{sheets}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _relations(relations),
    }


def _relations(content: str) -> str:
    return f'<Relationships xmlns="{_RELATIONSHIPS}">{content}</Relationships>'


def _relation(key: str, kind: str, target: str) -> str:
    return f'<Relationship Id="{key}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
