"""A machine with Python and make alone is enough: any other program is looked for first."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = (
    "school_portal",
    "importers",
    "batch",
    "benchmarks",
    "docs",
    "migrations",
    "tests",
    ".ci",
)
STARTS = {f"subprocess.{name}" for name in ("run", "Popen", "call", "check_call", "check_output")}
SHELLS = {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"}


def programs(text: str) -> Iterator[str]:
    """The programs that a module starts by a name of its own, without `which` of that name."""
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    looked_for = {
        value.value
        for call in calls
        if "which" in ast.unparse(call)
        for value in ast.walk(call)
        if isinstance(value, ast.Constant)
    }
    for call in calls:
        name = ast.unparse(call.func)
        if name in SHELLS or any(word.arg == "shell" for word in call.keywords):
            yield "a shell"
        elif name in {*STARTS, "Popen"} and call.args:
            command = call.args[0]
            first = command.elts[0] if isinstance(command, ast.List) else command
            if isinstance(first, ast.Constant) and first.value not in looked_for:
                yield str(first.value)


def test_no_program_is_started_that_nobody_looked_for() -> None:
    found = {
        str(path.relative_to(ROOT)): names
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        if (names := list(programs(path.read_text(encoding="utf-8"))))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('subprocess.run(["ps", "-A"])', ["ps"]),
        ('subprocess.check_output(["ps", *more])', ["ps"]),
        ('Popen("ps")', ["ps"]),
        ('os.system("ps")', ["a shell"]),
        ("subprocess.run(line, shell=True)", ["a shell"]),
        ('subprocess.run([sys.executable, "-c", "ps"])', []),
        ('PS = shutil.which("ps")\nsubprocess.run(["ps"])', []),
    ],
)
def test_what_counts_as_started(text: str, found: list[str]) -> None:
    assert list(programs(text)) == found
