"""Workbooks written in memory alone: openpyxl itself leaves each sheet in a temporary file."""

import io
import zipfile
from typing import Any

from openpyxl import Workbook
from openpyxl.drawing.spreadsheet_drawing import SpreadsheetDrawing
from openpyxl.worksheet._writer import WorksheetWriter
from openpyxl.writer.excel import ExcelWriter


def to_bytes(workbook: Workbook) -> bytes:
    """The workbook as xlsx; nothing of it touches a disk, since rosters name people."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        _Writer(workbook, archive).save()
    return out.getvalue()


def stream_sheet(workbook: Workbook, title: str) -> Any:
    """A new sheet of a write-only workbook, whose rows gather in memory as XML."""
    sheet = workbook.create_sheet(title)
    sheet._writer = WorksheetWriter(sheet, out=io.BytesIO())
    sheet._writer.write_top()
    return sheet


class _Writer(ExcelWriter):
    """As openpyxl 3.1 writes a sheet, into memory."""

    _archive: zipfile.ZipFile

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
        self._archive.writestr(ws.path[1:], writer.out.getvalue())
        self.manifest.append(ws)
