"""Click's own words in Chinese: its messages go through gettext, the catalogue lies with us."""

from __future__ import annotations

import gettext
import os
import sys
from pathlib import Path

DOMAIN = "click"
CATALOGUES = Path(__file__).resolve().parent.parent / "locale"


def speak_chinese() -> None:
    """Make click answer in Chinese, whatever the machine's language and encoding are."""
    os.environ["LANGUAGE"] = "zh"
    gettext.bindtextdomain(DOMAIN, CATALOGUES)
    gettext.textdomain(DOMAIN)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
