"""The contract's commands, exit statuses and documents, through real workers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from school_portal.cli import main
from tests.factories import opening
from tests.factories.operation import student, workbook

Portal = Callable[..., tuple[int, str, str]]
SCHOOL = opening.SCHOOL
ON = ("--on", "2026-10-15")


@pytest.fixture
def portal_command(
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Portal:
    """Runs a command in this process: exit status, standard output, standard error."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LANGUAGE", "zh")
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))

    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        status = ended.value.code
        assert isinstance(status, int)
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return status, captured.out, captured.err

    return run


@pytest.fixture
def running(portal_command: Portal, tmp_path: Path) -> Portal:
    """The commands on a portal with opening data."""
    assert portal_command("init")[0] == 0
    data = tmp_path / "opening.xlsx"
    data.write_bytes(opening.workbook(opening.running()).getvalue())
    assert portal_command("opening-data", "load", data)[0] == 0
    return portal_command


@pytest.fixture
def roster(tmp_path: Path) -> Callable[..., Path]:
    """Writes a roster of three students, and of the rows given."""

    def write(*more: dict[str, str]) -> Path:
        path = tmp_path / "名册.xlsx"
        rows = [student(number) for number in (1, 2, 3)]
        path.write_bytes(workbook([*rows, *more], title="毕业学年学生名册").getvalue())
        return path

    return write


def document(answer: tuple[int, str, str], status: int = 0) -> Any:
    """The one JSON document on standard output; the exit status must be as given."""
    assert answer[0] == status, answer[2]
    return json.loads(answer[1])


def test_from_roster_to_exported_application(
    running: Portal, roster: Callable[..., Path], tmp_path: Path
) -> None:
    file = roster()
    checked = document(running("roster", "check", file, "--school", SCHOOL, "--format", "json"))
    assert (checked["accepted"], checked["rejected"], checked["issues"]) == (3, 0, [])
    assert checked["file"]["header_row"] == 2

    first, again = (
        document(running("roster", "import", file, "--school", SCHOOL, "--format", "json"))
        for _ in range(2)
    )
    assert [first[key] for key in ("created", "updated", "unchanged")] == [3, 0, 0]
    assert [again[key] for key in ("created", "updated", "unchanged")] == [0, 0, 3]
    assert again["roster"] > first["roster"]

    plan = ("applications", "plan", "--school", SCHOOL, *ON, "--format", "json")
    planned = running(*plan)
    assert planned == running(*plan)
    groups = document(planned)["applications"]
    assert [len(group["students"]) for group in groups] == [3]

    generate = ("applications", "generate", "--school", SCHOOL, *ON, "--format", "json")
    made = document(running(*generate))
    assert made["applications"] == groups
    assert document(running(*generate))["created"] == []
    held = document(running(*plan))["held"]
    assert [one["student_no"] for one in held] == groups[0]["students"]

    listed = document(running("applications", "list", "--school", SCHOOL, "--format", "json"))
    assert [one["id"] for one in listed["applications"]] == made["created"]
    exported = tmp_path / "申报.xlsx"
    assert running("applications", "export", made["created"][0], exported)[0] == 0
    cells = [cell for row in openpyxl.load_workbook(exported).worksheets[0].values for cell in row]
    assert set(groups[0]["students"]) <= set(cells)


def test_a_refused_import_saves_nothing_and_keeps_its_record(
    running: Portal, roster: Callable[..., Path], tmp_path: Path
) -> None:
    file = roster(student(4, **{"手机号码*": "12345"}))
    imported = ("roster", "import", file, "--school", SCHOOL, "--format", "json")
    refused = document(running(*imported), status=1)
    assert [refused[key] for key in ("accepted", "rejected", "created")] == [3, 1, 0]
    assert [(one["row"], one["code"]) for one in refused["issues"]] == [(6, "cell.mobile")]

    marked = tmp_path / "错误.xlsx"
    assert running("roster", "errors", refused["roster"], marked)[0] == 0
    sheet = openpyxl.load_workbook(marked).worksheets[0]
    assert [cell.coordinate for row in sheet for cell in row if cell.comment] == ["D6"]

    accepted = document(running(*imported, "--accept-valid"), status=1)
    assert [accepted[key] for key in ("created", "rejected")] == [3, 1]


def test_a_file_that_is_no_table_is_refused_with_its_code(running: Portal, tmp_path: Path) -> None:
    empty = tmp_path / "空.xlsx"
    empty.write_bytes(b"")
    for command in ("check", "import"):
        answer = running("roster", command, empty, "--school", SCHOOL, "--format", "json")
        found = document(answer, status=1)
        assert [one["code"] for one in found["issues"]] == ["file.unreadable"]


def test_setting_up_again_changes_nothing(running: Portal, tmp_path: Path) -> None:
    data = tmp_path / "opening.xlsx"
    before = document(running("opening-data", "load", data, "--format", "json"))
    assert running("init")[0] == 0
    assert document(running("opening-data", "load", data, "--format", "json")) == before
    status, told, _ = running("doctor")
    assert status == 0
    origin = "正常" if "数据库 SQLite" in told else "注意"  # production is to name it
    words = [line.split()[0] for line in told.splitlines()]
    assert words == [*["正常"] * 6, origin, "正常"]


def test_wrong_opening_data_is_told_whole_and_loads_nothing(
    portal_command: Portal, tmp_path: Path
) -> None:
    assert portal_command("init")[0] == 0
    data = opening.running()
    data["专业"].append((SCHOOL, "1", "烹饪", "高职"))
    data["校企合作"].append((SCHOOL, "123", "", ""))
    path = tmp_path / "opening.xlsx"
    path.write_bytes(opening.workbook(data).getvalue())
    told = document(portal_command("opening-data", "load", path, "--format", "json"), status=1)
    assert {one["sheet"] for one in told["issues"]} == {"专业", "校企合作"}
    assert portal_command("applications", "list", "--school", SCHOOL)[0] == 1


def test_the_chain_begins_with_init_alone(portal_command: Portal) -> None:
    for _ in range(2):
        assert portal_command("init")[0] == 0
        told = document(portal_command("audit", "verify", "--format", "json"))
        assert (told["events"], told["findings"]) == (1, [])


def test_before_init_every_command_says_so(portal_command: Portal, tmp_path: Path) -> None:
    file = tmp_path / "r.csv"
    file.write_text("学号")
    for line in (
        ("roster", "check", file, "--school", SCHOOL),
        ("roster", "import", file, "--school", SCHOOL),
        ("applications", "plan", "--school", SCHOOL),
        ("serve",),
        ("worker",),
    ):
        status, out, told = portal_command(*line)
        assert (status, out) == (1, "")
        assert told == "错误：数据库尚未初始化或版本较旧，请先运行 school-portal init。\n"
    assert portal_command("doctor")[0] == 1


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (("roster", "check", "无此文件.xlsx", "--school", SCHOOL), 2),
        (("roster", "check", __file__), 2),
        (("roster", "check", __file__, "--school", "91310000000000001X"), 1),
        (("roster", "errors", "99", "x.xlsx"), 1),
        (("roster", "template", "无此目录/x.xlsx"), 1),
        (("applications", "plan", "--school", SCHOOL, "--roster", "99"), 1),
        (("applications", "plan", "--school", SCHOOL, "--on", "2026-02-30"), 2),
        (("applications", "generate", "--school", SCHOOL, "--roster", "99"), 1),
        (("applications", "export", "99", "x.xlsx"), 1),
        (("applications", "export", "x", "x.xlsx"), 2),
        (("nothing",), 2),
    ],
)
def test_what_is_refused_and_what_is_wrong_usage(
    running: Portal, line: tuple[str, ...], status: int
) -> None:
    found, out, told = running(*line)
    assert (found, out) == (status, "")
    assert "错误：" in told


@pytest.mark.parametrize(
    "line",
    [
        ("roster", "check", __file__, "--school", "91310000000000001X"),
        ("roster", "errors", "99", "x.xlsx"),
        ("applications", "plan", "--school", SCHOOL, "--roster", "99"),
        ("applications", "export", "99", "x.xlsx"),
        ("roster", "template", "无此目录/x.xlsx"),
    ],
)
def test_a_program_reads_what_a_person_is_told(running: Portal, line: tuple[str, ...]) -> None:
    answered = running(*line, "--format", "json")
    assert f"错误：{document(answered, status=1)['error']}\n" == answered[2]


def test_templates_are_workbooks_that_the_commands_read(running: Portal, tmp_path: Path) -> None:
    roster_file, data = tmp_path / "r.xlsx", tmp_path / "o.xlsx"
    assert running("roster", "template", roster_file, "--school", SCHOOL)[0] == 0
    checked = running("roster", "check", roster_file, "--school", SCHOOL, "--format", "json")
    assert document(checked)["file"]["rows"] == 0
    assert running("opening-data", "template", data)[0] == 0
    assert running("opening-data", "load", data)[0] == 0
