"""The tests and modules that docs/security names are there."""

from __future__ import annotations

import re
from pathlib import Path

from school_portal.domain.policy import SETTINGS

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "security"
TEXT = (PAGES / "asvs.md").read_text(encoding="utf-8")


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
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES.glob("*.md"))
    named = re.findall(r"`((?:\w+/)+[\w.-]+)`", text)
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_data_page_names_each_period() -> None:
    page = (PAGES / "data.md").read_text(encoding="utf-8")
    periods = {name for name in SETTINGS if name.endswith("_months")}
    assert periods == set(re.findall(r"`(\w+_months)`", page))
