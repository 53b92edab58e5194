"""What a supporting document really is, by its content: neither name nor sender is believed."""

from __future__ import annotations

import io
import zipfile

PDF = "application/pdf"
DOC = "application/msword"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
JPEG = "image/jpeg"
PNG = "image/png"

PICTURES = frozenset({JPEG, PNG})
SUFFIXES = {PDF: ".pdf", DOC: ".doc", DOCX: ".docx", JPEG: ".jpg", PNG: ".png"}

_MAGIC = {b"%PDF-": PDF, b"\xff\xd8\xff": JPEG, b"\x89PNG\r\n\x1a\n": PNG}
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# Names in the directory of a compound file. The whole of it is searched: following its chains in
# this process would trust them.
_WORD_STREAM, _MACRO_STORAGE = (name.encode("utf-16-le") for name in ("WordDocument", "_VBA_"))


def sniff(content: bytes) -> str | None:
    """The media type of a PDF, a Word file without macros or an image; None for anything else."""
    if content.startswith(_COMPOUND):
        return DOC if _WORD_STREAM in content and _MACRO_STORAGE not in content else None
    if content.startswith(b"PK\x03\x04"):
        return _sniff_zip(content)
    return next((kind for magic, kind in _MAGIC.items() if content.startswith(magic)), None)


def _sniff_zip(content: bytes) -> str | None:
    """By the list of names alone: nothing is unpacked."""
    try:
        names = {name.lower() for name in zipfile.ZipFile(io.BytesIO(content)).namelist()}
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return None
    is_word = {"[content_types].xml", "word/document.xml"} <= names
    return DOCX if is_word and not any(name.endswith("vbaproject.bin") for name in names) else None
