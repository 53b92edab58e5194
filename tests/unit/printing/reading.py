"""A printed form as its reader has it."""

from __future__ import annotations

from itertools import pairwise

import pypdfium2
import zxingcpp

# What the reader gives for a hyphen at a line's end, since it may be a divided word's.
LINE_END_HYPHEN = "\ufffe"


def pages(pdf: bytes) -> list[str]:
    """Each page's text, in the order of reading, without white space."""
    texts = (page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf))
    return ["".join(text.replace(LINE_END_HYPHEN, "-").split()) for text in texts]


def codes(pdf: bytes) -> list[list[str]]:
    """What a scanner reads in the QR codes of each page."""
    found = []
    for page in pypdfium2.PdfDocument(pdf):
        drawn = page.render(scale=3, grayscale=True)
        picture = memoryview(bytes(drawn.buffer)).cast("B", (drawn.height, drawn.stride))
        found.append([code.text for code in zxingcpp.read_barcodes(picture)])
    return found


def ink_outside(pdf: bytes, *, margin: float) -> list[int]:
    """How many points right of the text area are not white, page by page; `margin` in mm."""
    found = []
    for page in pypdfium2.PdfDocument(pdf):
        drawn = page.render(grayscale=True)
        content = bytes(drawn.buffer)
        edge = drawn.width - int(margin * 72 / 25.4) + 1
        rows = (
            content[row * drawn.stride + edge : row * drawn.stride + drawn.width]
            for row in range(drawn.height)
        )
        found.append(sum(len(row) - row.count(255) for row in rows))
    return found


def rules(pdf: bytes) -> int:
    """How many lines of the first page are ruled from 29 to 19 mm before its right edge."""
    drawn = pypdfium2.PdfDocument(pdf)[0].render(scale=2, grayscale=True)
    content, millimetre = bytes(drawn.buffer), 2 * 72 / 25.4
    first, last = (drawn.width - int(distance * millimetre) for distance in (29, 19))
    dark = [
        255 not in content[row * drawn.stride + first : row * drawn.stride + last]
        for row in range(drawn.height)
    ]
    return sum(here and not above for above, here in pairwise(dark))
