"""The keyID in a certificate's extension: any string type, wrapped or bare, loose DER alike.

No source settles its form (dependencies, "What a keyID looks like"): the text counts.
"""

from __future__ import annotations

from collections.abc import Iterator

_OCTET_STRING = 0x04
_CHARSETS = {
    0x0C: "utf-8",  # UTF8String
    0x12: "ascii",  # NumericString
    0x13: "ascii",  # PrintableString; @ has no place in it, and stands in it
    0x14: "latin-1",  # TeletexString
    0x16: "ascii",  # IA5String
    0x1A: "ascii",  # VisibleString
    0x1B: "ascii",  # GeneralString
    0x1C: "utf-32-be",  # UniversalString
    0x1E: "utf-16-be",  # BMPString
}
_CONSTRUCTED = 0x20
_CONTEXT = 0x80
_DEPTH = 4
_PADDING = " \t\r\n\0"


def text_of(value: bytes) -> str | None:
    """The text that an extension's value holds, outer white space cut off; None for none."""
    return next(_texts(value, _DEPTH), None)


def _texts(value: bytes, depth: int) -> Iterator[str]:
    """What the value says as DER, with or without padding behind; then what it says as text."""
    yield from _elements(value.rstrip(_PADDING.encode()), depth)
    yield from _elements(value, depth)
    yield from _plain(value, "utf-8")


def _elements(value: bytes, depth: int) -> Iterator[str]:
    """The texts in a series of elements, their lengths in any number of bytes.

    Bare text is none: it has no byte that is the tag of a string.
    """
    while len(value) > 1 and depth:
        tag, size, start = value[0], value[1], 2
        if size & 0x80:
            start += size & 0x7F
            size = int.from_bytes(value[2:start], "big")
        content, value = value[start : start + size], value[start + size :]
        if len(content) != size:
            return
        if tag == _OCTET_STRING:
            yield from _texts(content, depth - 1)
        elif tag & _CONSTRUCTED:
            yield from _elements(content, depth - 1)
        elif tag in _CHARSETS or tag & _CONTEXT:
            yield from _plain(content, _CHARSETS.get(tag, "utf-8"))


def _plain(content: bytes, charset: str) -> Iterator[str]:
    try:
        text = content.decode(charset).strip(_PADDING)
    except UnicodeDecodeError:
        return
    if text and text.isprintable():
        yield text
