"""What stands in texts unseen or looks alike: one table of marks, white space and dashes."""

import re

# Without width or ink, left by copying from web pages, chats and word processors: what Unicode
# calls default ignorable (bidirectional controls, joiners, fillers, variation selectors, tags),
# the annotation controls, and the empty Braille cell.
_INVISIBLE_RANGES = (
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x2800, 0x2800),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFFB),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)
INVISIBLE = frozenset(
    chr(code) for first, last in _INVISIBLE_RANGES for code in range(first, last + 1)
)
_BREAKS = "\n\v\f\r\x85\u2028\u2029"
_SPACES = "\t \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
_SPACES += "\u202f\u205f\u3000"
BLANKS = _SPACES + _BREAKS
# What word processors make of a hyphen, and what looks like one.
DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63", "-"))

_MARK_CLASS = "".join(f"{chr(first)}-{chr(last)}" for first, last in _INVISIBLE_RANGES)
_MARKS = re.compile(f"[{_MARK_CLASS}]+")
_UNEVEN = re.compile(f"[{BLANKS}{_MARK_CLASS}]")
_BREAK = re.compile(f"[{_BREAKS}]")
_BLANK_RUN = re.compile(f"[{BLANKS}]+")
_HAN = "\u2e80-\u2fdf\u3005\u3007\u3021-\u3029\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_HAN += "\U00020000-\U0003ffff"
_BESIDE_HAN = re.compile(f"(?<=[{_HAN}])[{BLANKS}]+|[{BLANKS}]+(?=[{_HAN}])")


def trimmed(text: str) -> str:
    """The text without invisible marks, and without white space at its ends."""
    if not text.isascii():
        text = _MARKS.sub("", text)
    return text.strip(BLANKS)


def tidy_name(text: str) -> tuple[str, bool]:
    """A person's name, and whether to say that something was taken out of it.

    Invisible marks go, and white space beside a Han character; elsewhere one space stays for any
    run of it, of which nothing is said unless it held a line break.
    """
    if not _UNEVEN.search(text):
        return text, False
    joined = _BESIDE_HAN.sub("", _MARKS.sub("", text))
    taken = joined != text or _BREAK.search(text) is not None
    return _BLANK_RUN.sub(" ", joined).strip(" "), taken
