"""Files on their way out: never kept by a cache, Chinese names intact."""

from __future__ import annotations

from io import BytesIO
from typing import BinaryIO

from flask import Response, send_file

from school_portal.domain.plain_text import plain_name

# What a browser shows without running anything that is in it. The type is that of the content, as
# it was sniffed, and no browser guesses another (nosniff).
SHOWN = frozenset({"application/pdf", "image/jpeg", "image/png"})
# Of such a file: it loads and runs nothing, and only our pages frame it. Older browsers' own viewer
# of PDFs is an object, and `sandbox` would keep it from showing.
FILE_POLICY = (
    "default-src 'none'; object-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)
LONGEST_NAME = 120  # characters: an upload's with what we add; a proxy takes headers of 4 KB
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def workbook(content: bytes, name: str) -> Response:
    """The xlsx under that name (RFC 6266: plain and UTF-8)."""
    return attachment(BytesIO(content), name, XLSX)


def attachment(content: BinaryIO, name: str, media_type: str) -> Response:
    """The file to be kept, never shown in the browser, whatever is in it or in its name."""
    answer = send_file(
        content, mimetype=media_type, as_attachment=True, download_name=_offered(name)
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def evidence(content: BinaryIO, name: str, media_type: str) -> Response:
    """The file, shown in our pages where it is of a type that runs nothing; else to be kept."""
    if media_type not in SHOWN:
        return attachment(content, name, media_type)
    answer = send_file(content, mimetype=media_type, download_name=_offered(name))
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Content-Security-Policy"] = FILE_POLICY
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    return answer


def _offered(name: str) -> str:
    """The name under which a file is handed out: of what it is called, what a header may hold."""
    return plain_name(name, LONGEST_NAME) or "file"
