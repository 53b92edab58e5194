"""Files that look like a workbook or like text to people, and are neither; told by name."""

import re

# Of what is not text, by its first bytes.
_BINARY = (
    (b"%PDF-", "是 PDF"),
    (b"{\\rtf", "是 RTF 文档"),
    (b"\x1f\x8b", "是压缩包"),
    (b"Rar!", "是压缩包"),
    (b"7z\xbc\xaf\x27\x1c", "是压缩包"),
    (b"\x89PNG", "是图片"),
    (b"GIF8", "是图片"),
    (b"\xff\xd8\xff", "是图片"),
    (b"PK\x05\x06", "是空的压缩包"),
    (b"PK\x07\x08", "是分卷压缩包"),
    # A workbook's first record, without the container that holds it since Excel 5.
    (b"\x09\x00\x04\x00", "是 Excel 4.0 以前的格式"),
    (b"\x09\x02\x06\x00", "是 Excel 4.0 以前的格式"),
    (b"\x09\x04\x06\x00", "是 Excel 4.0 的格式"),
    (b"\x09\x08", "是 Excel 5.0 的格式"),
    (b"SQLite format 3\0", "是数据库"),
)
# Of text. A table too may have ID or TABLE as its first heading: the second line tells.
_TEXT = (
    (r"ID;P[^\r\n]*[\r\n]+(?:[A-Z]{1,2};|E\b)", "是 SYLK 格式"),
    (r"TABLE\s*[\r\n]+0,1\s*[\r\n]", "是 DIF 格式"),
    (
        r"(?i)(?:[\w-]+:[^\n]*\n(?:[ \t][^\n]*\n)*){0,30}?MIME-Version:",
        "是单个文件网页（MHTML）格式",
    ),
    (
        r"<[^>]*>?[\s\S]{0,4096}?urn:schemas-microsoft-com:office:spreadsheet",
        "是 XML 表格 2003 格式",
    ),
    (r"<[\s\S]{0,4096}?urn:oasis:names:tc:opendocument", "是 XML 格式的 OpenDocument"),
    (r"(?i)<(?:!doctype\s+html|html|head|meta|body|table|div|style|script|!--)", "是网页（HTML）"),
    (r"<", "是 XML"),
    (r"[{\[]\s*[\"{\[]", "是 JSON"),
)
_TEXT_PATTERNS = tuple((re.compile(pattern), what) for pattern, what in _TEXT)


def what_bytes_are(data: bytes) -> str | None:
    """What a file is that is no text, where its first bytes tell."""
    return next((what for start, what in _BINARY if data.startswith(start)), None)


def what_text_is(text: str) -> str | None:
    """What a text is that is no table."""
    head = text.lstrip("\ufeff \t\r\n")
    return next((what for pattern, what in _TEXT_PATTERNS if pattern.match(head)), None)
