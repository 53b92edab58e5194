"""Workbooks written in memory alone: openpyxl itself leaves each sheet in a temporary file."""

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from openpyxl import Workbook
from openpyxl.drawing.spreadsheet_drawing import SpreadsheetDrawing
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._writer import WorksheetWriter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.writer.excel import ExcelWriter

_NO_ROWS = re.compile(rb"<sheetData\s*(?:/>|></sheetData>)")


def to_bytes(workbook: Workbook, rows: Mapping[str, bytes] = MappingProxyType({})) -> bytes:
    """The workbook as xlsx; nothing of it touches a disk, since rosters name people.

    `rows` are, by title, the XML of those sheets' rows that openpyxl was not given.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        _Writer(workbook, archive, rows).save()
    return out.getvalue()


def stream_sheet(workbook: Workbook, title: str, widths: Sequence[int] = ()) -> Any:
    """A new sheet of a write-only workbook, whose rows gather in memory as XML.

    Its columns' widths, in characters, come before any row, and so does that it is printed on A4
    sideways, as wide as the page.
    """
    sheet = workbook.create_sheet(title)
    for place, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(place)].width = width
    if widths:
        sheet.page_setup.orientation = "landscape"
        sheet.page_setup.paperSize = Worksheet.PAPERSIZE_A4
        sheet.page_setup.fitToHeight = 0
        sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet._writer = WorksheetWriter(sheet, out=io.BytesIO())
    sheet._writer.write_top()
    sheet._rows = sheet._write_rows()
    next(sheet._rows)  # a sheet without rows is closed as one with rows
    return sheet


class _Writer(ExcelWriter):
    """As openpyxl 3.1 writes a sheet, into memory."""

    _archive: zipfile.ZipFile

    def __init__(
        self, workbook: Workbook, archive: zipfile.ZipFile, rows: Mapping[str, bytes]
    ) -> None:
        super().__init__(workbook, archive)
        self._rows = rows

    def write_worksheet(self, ws: Any) -> None:
        """Writes one sheet into the archive."""
        ws._drawing = SpreadsheetDrawing()
        ws._drawing.charts = ws._charts
        ws._drawing.images = ws._images
        if self.workbook.write_only:
            ws.close()
            writer = ws._writer
        else:
            writer = WorksheetWriter(ws, out=io.BytesIO())
            writer.write()
        ws._rels = writer._rels
        content = writer.out.getvalue()
        if (rows := self._rows.get(ws.title)) is not None:
            before, after = _NO_ROWS.split(content)
            content = b"".join((before, b"<sheetData>", rows, b"</sheetData>", after))
        self._archive.writestr(ws.path[1:], content)
        self.manifest.append(ws)
