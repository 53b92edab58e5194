"""The tests and modules that docs/security/asvs.md names are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "security" / "asvs.md").read_text(encoding="utf-8")


def test_every_test_that_is_named_is_there() -> None:
    there = {
        f"{path.stem}.{name}"
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.M)
    }
    named = set(re.findall(r"`(test_\w+\.test_\w+)`", TEXT))
    assert len(named) > 50
    assert named - there == set()


def test_every_file_that_is_named_is_there() -> None:
    named = re.findall(r"`((?:\w+/)+[\w.-]+)`", TEXT)
    assert [name for name in named if not (ROOT / name).exists()] == []
