"""What is told as done is done: nothing is flashed while its commit is still to come."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

VIEWS = Path(__file__).parents[2] / "school_portal" / "blueprints"


def calls(node: ast.AST, name: str) -> bool:
    """Whether the function or method is called anywhere in it."""
    asked = (one.func for one in ast.walk(node) if isinstance(one, ast.Call))
    return any(name in (getattr(one, "id", None), getattr(one, "attr", None)) for one in asked)


def too_early(tree: ast.AST) -> Iterator[int]:
    """The lines that flash in a block which commits further down."""
    for node in ast.walk(tree):
        for block in (getattr(node, part, None) for part in ("body", "orelse", "finalbody")):
            if not isinstance(block, list):
                continue
            for place, step in enumerate(block):
                later = block[place + 1 :]
                flashes = isinstance(step, ast.Expr) and calls(step, "flash")
                if flashes and any(calls(one, "commit") for one in later):
                    yield step.lineno


def test_no_view_flashes_before_it_commits() -> None:
    found = {
        f"{path.relative_to(VIEWS)}:{line}"
        for path in VIEWS.rglob("*.py")
        for line in too_early(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert found == set()


@pytest.mark.parametrize(
    ("view", "lines"),
    [
        ("flash('done')\nsession.commit()", [1]),
        ("session.commit()\nflash('done')", []),
        ("if missing:\n    flash('choose')\n    go()\nsession.commit()", []),
        ("if good:\n    flash('done')\n    db.session.commit()", [2]),
    ],
)
def test_what_counts_as_too_early(view: str, lines: list[int]) -> None:
    assert list(too_early(ast.parse(view))) == lines
