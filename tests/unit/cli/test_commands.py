"""What the commands say without a database: help, the calendar, wrong usage."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from school_portal.cli import main, words
from school_portal.cli.failures import NOT_INITIALISED
from school_portal.cli.root import COMMANDS, school_portal


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[object, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err


def _levels() -> list[tuple[str, ...]]:
    """Every command and every group."""
    found: list[tuple[str, ...]] = [()]
    context = click.Context(school_portal)
    for name in COMMANDS:
        command = school_portal.get_command(context, name)
        assert command is not None, name
        found.append((name,))
        if isinstance(command, click.Group):
            found += [(name, one) for one in command.commands]
    return found


@pytest.mark.parametrize("level", _levels(), ids=" ".join)
def test_help_on_every_level_is_chinese(
    level: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = run(capsys, *level, "--help")
    assert status == 0
    assert out.startswith("用法：")
    described = [line for line in out.splitlines() if line.startswith("  ")]
    assert described
    assert any("\u4e00" <= letter <= "\u9fff" for letter in described[0])


@pytest.mark.parametrize(
    ("line", "libraries"),
    [
        (["--help"], ["flask", "sqlalchemy", "rq", "openpyxl"]),
        (["calendar", "window", "--at", "2026-04-30"], ["flask", "sqlalchemy", "rq", "openpyxl"]),
        (["opening-data", "template", "FILE"], ["flask", "sqlalchemy", "rq"]),
        (["roster", "check", "--help"], ["redis", "openpyxl", "flask_wtf", "alembic"]),
        (["applications", "list", "--help"], ["redis", "openpyxl", "flask_wtf", "alembic"]),
    ],
)
def test_a_command_imports_what_it_needs(
    line: list[str], libraries: list[str], tmp_path: Path
) -> None:
    code = (
        "import sys; from school_portal.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit as ended: assert not ended.code\n"
        f"print([name for name in {libraries} if name in sys.modules])"
    )
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            code,
            *(str(tmp_path / part) if part == "FILE" else part for part in line),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-04-30T23:59:59+08:00", (True, "2026-04-01", "2026-04-30")),
        ("2026-04-30T23:59:59", (True, "2026-04-01", "2026-04-30")),
        ("2026-04-30T16:00:00Z", (False, "2026-10-01", "2026-10-31")),
        ("2026-03-31T16:00:00+00:00", (True, "2026-04-01", "2026-04-30")),
        ("2026-12-01", (False, "2027-04-01", "2027-04-30")),
    ],
)
def test_the_window_of_an_instant(
    at: str, expected: tuple[bool, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = run(capsys, "calendar", "window", "--at", at)
    is_open, opens, closes = expected
    assert status == 0
    assert json.loads(out) == {
        "specialty_evaluation": {
            "open": is_open,
            "opens": f"{opens}T00:00:00+08:00",
            "closes": f"{closes}T23:59:59.999999+08:00",
        }
    }


def test_working_days(capsys: pytest.CaptureFixture[str]) -> None:
    line = ("calendar", "workdays", "--from", "2026-09-28", "--count")
    status, out, _ = run(capsys, *line, "5")
    assert (status, json.loads(out)) == (0, {"end": "2026-10-10"})
    status, out, told = run(capsys, *line, "100")
    assert status == 1
    assert "2027 年的节假日安排尚未载入" in told
    assert told == f"错误：{json.loads(out)['error']}\n"


@pytest.mark.parametrize(
    "line",
    [
        "calendar window --at yesterday",
        "calendar window --at 9999-12-01",
        "calendar window --at 0001-01-01T00:00:00+14:00",
        "calendar window",
        "calendar workdays --from 2026-02-30 --count 5",
        "calendar workdays --from 20260228 --count 5",
        "calendar workdays --from 2026-02-28 --count 0",
        "calendar workdays --from 2026-02-28 --count 5 --format xml",
        "calendar nothing",
        "nothing",
    ],
)
def test_wrong_usage(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, told = run(capsys, *line.split())
    assert (status, out) == (2, "")
    assert told.splitlines()[-1].startswith("错误：")


def test_an_unexpected_error_is_one_line_and_its_place_is_in_the_log(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(*lines: object) -> None:
        raise RuntimeError("310104200903140026")

    monkeypatch.setenv("SCHOOL_PORTAL_HOME", str(tmp_path))
    monkeypatch.setattr("school_portal.cli.calendar.specialty_window", fail)
    status, out, told = run(capsys, "calendar", "window", "--at", "2026-04-30")
    assert (status, told.count("\n")) == (1, 1)
    assert told == f"错误：{json.loads(out)['error']}\n"
    written = (tmp_path / "logs" / "command.log").read_text()
    assert json.loads(written.splitlines()[-1])["error"] == "RuntimeError"
    assert "310104200903140026" not in out + told + written


def test_a_malformed_setting_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SCHOOL_PORTAL_HOME", str(tmp_path))
    monkeypatch.setenv("SCHOOL_PORTAL_ENCRYPTION_KEYS", "x")
    status, out, told = run(capsys, "init")
    assert (status, out, told.count("\n")) == (1, "", 1)
    assert "SCHOOL_PORTAL_ENCRYPTION_KEYS" in told


def test_the_compiled_words_are_those_of_the_catalogue() -> None:
    folder = words.CATALOGUES / "zh" / "LC_MESSAGES"

    def messages(catalogue: Catalog) -> set[tuple[str, str]]:
        # Plurals come as a list from one reader and as a tuple from the other.
        texts = [(one.id, one.string) for one in catalogue if one.id]
        return {(str(_listed(text)), str(_listed(said))) for text, said in texts}

    with (folder / f"{words.DOMAIN}.po").open("rb") as source:
        written = messages(read_po(source, locale="zh"))
    with (folder / f"{words.DOMAIN}.mo").open("rb") as source:
        compiled = messages(read_mo(source))
    assert compiled == written


def _listed(text: Any) -> list[str]:
    return [text] if isinstance(text, str) else list(text)


NEAR = ["127.0.0.1", "127.0.0.5", "::1", "localhost"]
FAR = ["0.0.0.0", "::", "192.0.2.1", "portal.example", ""]


@pytest.mark.parametrize("host", FAR)
def test_where_others_reach_it_the_site_wants_a_proxy_before_it(
    host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, told = run(capsys, "serve", "--host", host)
    assert (status, out) == (2, "")
    assert f"{host} 不是本机地址" in told and "--behind-proxy" in told


@pytest.mark.parametrize(
    "line", [*([one] for one in NEAR), *([one, "--behind-proxy"] for one in FAR)]
)
def test_for_this_machine_or_for_a_proxy_the_site_is_started(
    line: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("SCHOOL_PORTAL_HOME", str(tmp_path))
    monkeypatch.delenv("SCHOOL_PORTAL_DATABASE_URL", raising=False)
    status, _, told = run(capsys, "serve", "--host", *line)
    assert (status, told) == (1, f"错误：{NOT_INITIALISED}\n")
