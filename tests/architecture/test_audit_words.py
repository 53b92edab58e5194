"""Every action that is recorded has words for the people who read the trail, and its test."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from school_portal.services.audit_words import _OTHERS, WORDS

PACKAGE = Path(__file__).parents[2] / "school_portal"
TESTS = Path(__file__).parents[1]
_CODE = re.compile(r"[a-z]+(-[a-z]+)*(\.[a-z]+(-[a-z]+)*)?\Z")


def recorded(tree: ast.Module) -> Iterator[str]:
    """The texts shaped like an action: given to `record`, or anywhere in whoever calls it."""
    for function in (one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)):
        for call in (one for one in ast.walk(function) if isinstance(one, ast.Call)):
            if ast.unparse(call.func) == "audit.record":
                action = call.args[2]
                if isinstance(action, ast.Constant):
                    yield str(action.value)
                elif not isinstance(action, ast.JoinedStr):
                    yield from passed(tree)


def passed(tree: ast.Module) -> Iterator[str]:
    """Where the action is handed on, every text of the module that has an action's form."""
    for node in ast.walk(tree):
        value = node.value if isinstance(node, ast.Constant) else None
        if isinstance(value, str) and "." in value and _CODE.match(value):
            yield value


def test_every_recorded_action_has_words() -> None:
    found = {
        action
        for path in PACKAGE.rglob("*.py")
        for action in recorded(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert {"key-sign-in.tls", "user.enable", "submission.refuse"} <= found
    assert found - WORDS.keys() == set()


def test_every_recorded_action_is_looked_for_by_a_test() -> None:
    """Else it may be lost unseen. A workflow's moves are recorded in one place and tested there."""
    written = "".join(
        path.read_text(encoding="utf-8")
        for path in TESTS.rglob("test_*.py")
        if path != Path(__file__)
    )
    named = {action for action in _OTHERS if f'"{action}"' in written}
    assert _OTHERS.keys() - named == set()
