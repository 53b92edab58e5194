"""Which characters the forms' fonts can draw; what none of them has is named, never a blank box."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pylopdf_fonts_jp
import pylopdf_fonts_zh_cn
import pylopdf_fonts_zh_tw
from fontTools.ttLib import TTFont

from school_portal.domain.texts import BLANKS, trimmed

# Simplified Chinese first; the others have characters that it lacks, 𠮷 among them.
_PACKAGES = (pylopdf_fonts_zh_cn, pylopdf_fonts_jp, pylopdf_fonts_zh_tw)
_FONTS = tuple(path for one in _PACKAGES for path in (one.serif_path(), one.sans_path()))
FONT_FOLDERS = tuple(dict.fromkeys(path.parent for path in _FONTS))


def lacking(texts: Iterable[str]) -> frozenset[str]:
    """The characters of the texts that no font has."""
    wanted = set().union(*texts) - set(BLANKS)
    for font in _FONTS:
        if not wanted:
            break
        wanted -= _drawn_by(font)
    return frozenset(wanted)


@cache
def _drawn_by(font: Path) -> frozenset[str]:
    with TTFont(font, lazy=True) as opened:
        return frozenset(map(chr, opened.getBestCmap()))


def drawable(text: str) -> str:
    """The text with the code points, in square brackets, of what no font has: `[U+2A6D7]`."""
    visible = trimmed(text)
    missing = lacking([visible])
    if not missing:
        return visible
    return re.sub(f"[{re.escape(''.join(missing))}]+", _codes, visible)


def _codes(found: re.Match[str]) -> str:
    return f"[{' '.join(f'U+{ord(character):04X}' for character in found[0])}]"
