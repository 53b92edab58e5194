"""The first installation takes a while: whoever waits sees it move."""

from __future__ import annotations

from pathlib import Path

MAKEFILE = (Path(__file__).parents[2] / "Makefile").read_text(encoding="utf-8")


def test_pip_is_not_silenced() -> None:
    lines = [line for line in MAKEFILE.splitlines() if "-m pip" in line or "$(PIP)" in line]
    assert len(lines) == 4  # its definition and its uses
    for line in lines:
        words = line.split()
        assert not {"-q", "--quiet", ">/dev/null"} & set(words), line
