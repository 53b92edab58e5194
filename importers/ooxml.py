"""xlsx: each sheet is looked at before it is parsed, and parsed as it was looked at."""

import zipfile
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property, partial

from python_calamine import CalamineWorkbook

from importers.archive import Archive, refuse_declarations
from importers.fast_reader import opened, rows_of, sheet_of
from importers.limits import Limits, Refused
from importers.package import ListedSheet, Package
from importers.plain_sheet import plain_sheet
from importers.sheet_scan import SheetScan
from importers.sheets import Content, Sheet, overlaid
from importers.survey import SheetSurvey

_XML = (".xml", ".vml")
# Of a sheet that cannot be read, enough to see whether it is the roster.
_TOP_ROWS = 100


def sheets_of(archive: Archive, limits: Limits) -> list[Sheet]:
    """The worksheets; raises Refused for what no workbook of ours may hold."""
    package = Package(archive)
    if sum(not listed.hidden for listed in package.sheets) > limits.sheets:
        raise Refused.because("file.unsafe", "工作表过多")
    scanned = {listed.part.header_offset for listed in package.sheets if listed.part}
    for name, entry in package.parts.items():
        # A sheet is looked at when it is read.
        if name.endswith(_XML) and entry.header_offset not in scanned:
            refuse_declarations(archive.chunks(entry))
    book = _Workbook(archive, package, limits)
    return [Sheet(listed.title, listed.hidden, book.loader(listed)) for listed in package.sheets]


class _Workbook:
    """Loads the sheets that are asked for."""

    def __init__(self, archive: Archive, package: Package, limits: Limits) -> None:
        self._archive, self._package, self._limits = archive, package, limits

    def loader(self, listed: ListedSheet) -> Callable[[], Content]:
        """What loads this sheet."""
        return partial(self._load, listed)

    @cached_property
    def _plain(self) -> CalamineWorkbook:
        parts = {_name(listed.part): listed.part for listed in self._package.sheets if listed.part}
        return opened(self._package.plain(parts))

    def _load(self, listed: ListedSheet) -> Content:
        """Raises Refused for what voids the whole file; what is wrong with the sheet is told."""
        if listed.part is None:
            return _refused("file.unreadable", f"工作簿里找不到工作表“{listed.title}”的内容")
        scan = SheetScan(self._limits)
        survey = scan.scan(self._archive.chunks(listed.part))
        if scan.is_plain and not survey.refusal:
            # What calamine cannot read is written plainly, and read then.
            with suppress(Refused):
                return _content(self._plain, _name(listed.part), survey)
        try:
            return self._rewritten(listed.part, survey)
        except Refused:
            return _refused("file.unreadable", f"工作表“{listed.title}”已损坏")

    def _rewritten(self, part: zipfile.ZipInfo, survey: SheetSurvey) -> Content:
        """The sheet as it is once written plainly; of one that is refused the first rows alone."""
        if not survey.refusal:
            sheet = plain_sheet(self._archive.chunks(part), self._limits)
            survey = SheetScan(self._limits).scan(iter([sheet]))
        if survey.refusal:
            sheet = plain_sheet(self._archive.chunks(part), self._limits, _TOP_ROWS)
        name = _name(part)
        return _content(opened(self._package.plain({name: sheet})), name, survey)


def _name(part: zipfile.ZipInfo) -> str:
    return str(part.header_offset)


def _content(workbook: CalamineWorkbook, name: str, survey: SheetSurvey) -> Content:
    sheet = sheet_of(workbook, name)
    return Content(survey, lambda: overlaid(rows_of(sheet), survey))


def _refused(code: str, detail: str) -> Content:
    return Content(SheetSurvey(refusal=Refused.because(code, detail)))
