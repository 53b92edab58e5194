"""Files on their way out: never kept by a cache, Chinese names intact."""

from __future__ import annotations

from io import BytesIO
from typing import BinaryIO

from flask import Response, send_file

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def workbook(content: bytes, name: str) -> Response:
    """The xlsx under that name (RFC 6266: plain and UTF-8)."""
    answer = send_file(BytesIO(content), mimetype=XLSX, as_attachment=True, download_name=name)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def attachment(content: BinaryIO, name: str) -> Response:
    """Somebody's file under its name, never shown by the browser itself."""
    answer = send_file(
        content, mimetype="application/octet-stream", as_attachment=True, download_name=name
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer
