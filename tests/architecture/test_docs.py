"""What the documents print from the code is what the code says."""

from __future__ import annotations

import runpy
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_workflow_page_is_printed_from_the_tables() -> None:
    printed = runpy.run_path(str(DOCS / "workflows.py"))["page"]()
    assert (DOCS / "workflows.md").read_text(encoding="utf-8") == printed, "make docs"
