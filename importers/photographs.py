"""Photographs and scans, written anew: the pixels stay, and nothing else that the file held."""

from __future__ import annotations

import io

from PIL import Image, ImageOps

from importers.limits import Limits, Refused

QUALITY = 90  # of JPEG: print stays legible
_PLAIN = ("1", "L", "RGB", "RGBA", "I;16")


def rewritten(data: bytes, limits: Limits) -> bytes:
    """The picture upright, as JPEG or PNG as it was; without place, time, comment or thumbnail.

    Of several pictures in one file the first. Raises Refused: `file.too-large` beyond
    `limits.pixels`, which the head says before anything is decoded; `file.unreadable`.
    """
    Image.MAX_IMAGE_PIXELS = None  # the library's own limit is a warning; ours is below
    try:
        opened = Image.open(io.BytesIO(data), formats=("JPEG", "PNG"))
        if opened.width * opened.height > limits.pixels:
            raise Refused.because("file.too-large")
        kind = "PNG" if opened.format == "PNG" else "JPEG"
        ImageOps.exif_transpose(opened, in_place=True)
        picture = _plain(opened, kind)
    except (OSError, SyntaxError, ValueError, EOFError) as error:  # as the library puts it
        raise Refused.because("file.unreadable") from error
    out = io.BytesIO()
    picture.save(out, kind, quality=QUALITY)
    return out.getvalue()


def _plain(picture: Image.Image, kind: str) -> Image.Image:
    """The pixels alone, in a mode that the format can hold."""
    if kind == "JPEG":
        mode = "L" if picture.mode == "L" else "RGB"
    elif "transparency" in picture.info:
        mode = "RGBA"
    else:
        mode = picture.mode if picture.mode in _PLAIN else "RGBA"
    picture.load()
    made = picture if picture.mode == mode else picture.convert(mode)
    made.info.clear()
    return made
