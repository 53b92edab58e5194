"""Files on their way out: never kept by a cache, Chinese names intact."""

from __future__ import annotations

from io import BytesIO
from typing import BinaryIO

from flask import Response, send_file

from school_portal.domain.plain_text import plain_name

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def workbook(content: bytes, name: str) -> Response:
    """The xlsx under that name (RFC 6266: plain and UTF-8)."""
    return attachment(BytesIO(content), name, XLSX)


def attachment(content: BinaryIO, name: str, media_type: str) -> Response:
    """The file to be kept, never shown in the browser, whatever is in it or in its name."""
    shown = plain_name(name) or "file"
    answer = send_file(content, mimetype=media_type, as_attachment=True, download_name=shown)
    answer.headers["Cache-Control"] = "no-store"
    return answer
