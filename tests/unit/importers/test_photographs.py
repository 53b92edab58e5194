"""Photographs, written anew in the reader's process."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import replace

import pytest
from PIL import Image, PngImagePlugin

from importers.limits import LIMITS, Refused
from importers.sandbox import rewrite_photograph
from tests.files import hostile

SECRET = b"SECRET-PLACE"
RED, BLUE = (250, 0, 0), (0, 0, 250)


def two_coloured(mode: str = "RGB") -> Image.Image:
    """Wide, red on the left, blue on the right."""
    made = Image.new("RGB", (64, 32), RED)
    made.paste(BLUE, (32, 0, 64, 32))
    return made.convert(mode)


def jpeg(mode: str = "RGB", orientation: int = 1) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = SECRET.decode()
    out = io.BytesIO()
    two_coloured(mode).save(out, "JPEG", exif=exif, comment=SECRET, icc_profile=SECRET)
    return out.getvalue() + b"<script>" + SECRET


def png(mode: str = "RGB") -> bytes:
    told = PngImagePlugin.PngInfo()
    told.add_text("Comment", SECRET.decode())
    out = io.BytesIO()
    two_coloured(mode).save(out, "PNG", pnginfo=told, icc_profile=SECRET)
    return out.getvalue() + b"PK\x03\x04" + SECRET


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_of_a_jpeg_the_pixels_stay_alone(mode: str) -> None:
    kept = rewrite_photograph(jpeg(mode))
    assert kept.startswith(b"\xff\xd8\xff") and kept.endswith(b"\xff\xd9")
    assert SECRET not in kept and b"Exif" not in kept
    assert Image.open(io.BytesIO(kept)).size == (64, 32)


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1", "RGBA", "LA"])
def test_of_a_png_the_pixels_stay_alone(mode: str) -> None:
    kept = rewrite_photograph(png(mode))
    assert kept.startswith(b"\x89PNG") and kept.endswith(b"IEND\xaeB`\x82")
    assert SECRET not in kept
    found, given = (Image.open(io.BytesIO(one)).convert("RGBA") for one in (kept, png(mode)))
    assert found.tobytes() == given.tobytes()


def test_a_photograph_taken_on_its_side_is_upright() -> None:
    kept = Image.open(io.BytesIO(rewrite_photograph(jpeg(orientation=6))))
    assert kept.size == (32, 64)
    top, bottom = kept.getpixel((16, 8)), kept.getpixel((16, 56))
    assert isinstance(top, tuple) and isinstance(bottom, tuple)
    assert top[0] > top[2] + 200 and bottom[2] > bottom[0] + 200


@pytest.mark.parametrize(
    "content",
    [
        jpeg()[:300],
        png()[:60],
        b"\xff\xd8\xff\xe0\x00\x10JFIF",
        b"GIF89a" + bytes(40),
        hostile.far_cell(),
    ],
)
def test_what_cannot_be_decoded_is_refused(content: bytes) -> None:
    with pytest.raises(Refused) as refused:
        rewrite_photograph(content)
    assert refused.value.issue.code == "file.unreadable"


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(Refused) as refused:
        rewrite_photograph(png(), limits=replace(LIMITS, pixels=64 * 32 - 1))
    assert refused.value.issue.code == "file.too-large"
    huge = bytearray(hostile.png())
    huge[16:24] = b"\0\1\0\0" * 2  # 65,536 pixels square, of which there is one
    huge[29:33] = struct.pack(">I", zlib.crc32(huge[12:29]))
    with pytest.raises(Refused) as refused:
        rewrite_photograph(bytes(huge))
    assert refused.value.issue.code == "file.too-large"
