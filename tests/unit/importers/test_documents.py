"""What a document is, by its content alone."""

from __future__ import annotations

import pytest

from importers.documents import DOC, DOCX, JPEG, PDF, PNG, sniff
from tests.factories.evaluations import zipped

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
WORD = "WordDocument".encode("utf-16-le")
PARTS = ("[Content_Types].xml", "word/document.xml")


@pytest.mark.parametrize(
    "content, kind",
    [
        (b"%PDF-1.7\n", PDF),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", JPEG),
        (b"\x89PNG\r\n\x1a\n\x00", PNG),
        (OLE + WORD, DOC),
        (zipped(*PARTS), DOCX),
        (OLE + WORD + "_VBA_PROJECT".encode("utf-16-le"), None),
        (OLE + "Workbook".encode("utf-16-le"), None),
        (zipped(*PARTS, "word/vbaProject.bin"), None),
        (zipped("[Content_Types].xml", "xl/workbook.xml"), None),
        (zipped("evil.exe"), None),
        (zipped(*PARTS)[:40], None),
        (b"MZ\x90\x00" + bytes(60), None),
        (b"<!doctype html><script>alert(1)</script>", None),
        (b"\n%PDF-1.7", None),
        (b"GIF89a", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
        (b"", None),
    ],
)
def test_sniffed(content: bytes, kind: str | None) -> None:
    assert sniff(content) == kind
