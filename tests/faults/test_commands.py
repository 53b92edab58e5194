"""Commands that are broken off, beside each other, or robbed of their worker."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.factories import opening
from tests.factories.operation import student, workbook
from tests.faults.conftest import kill_process, until

pytestmark = pytest.mark.faults
SCHOOL = opening.SCHOOL
COMMAND = [sys.executable, "-c", "from school_portal.cli import main; main()"]
ROWS = 3000

Start = Callable[..., subprocess.Popen[bytes]]


def processes(home: str) -> dict[int, str]:
    """Living processes of that home: pid and command line; its name is in their environment."""
    table = subprocess.run(
        ["ps", "axeww", "-o", "pid=,stat=,command="], capture_output=True, text=True, check=True
    )
    lines = (line.split(None, 2) for line in table.stdout.splitlines())
    return {
        int(pid): command
        for pid, state, command in lines
        if f"SCHOOL_PORTAL_HOME={home} " in f"{command} " and not state.startswith("Z")
    }


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Starts a command on a portal with opening data; at the end nothing of it may be left."""
    environment = {**environment, "PYTHONPATH": str(Path.cwd()), "SCHOOL_PORTAL_LEASE_SECONDS": "2"}
    full = {**os.environ, **environment}
    data = tmp_path / "opening.xlsx"
    data.write_bytes(opening.workbook(opening.running()).getvalue())
    for line in (["init"], ["opening-data", "load", str(data)]):
        subprocess.run([*COMMAND, *line], env=full, check=True, capture_output=True)

    def run(*arguments: object, **more: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            env={**full, **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    yield run
    left = processes(environment["SCHOOL_PORTAL_HOME"])
    for pid in left:
        kill_process(pid)
    assert not left


@pytest.fixture
def home(environment: dict[str, str]) -> str:
    return environment["SCHOOL_PORTAL_HOME"]


def of(home: str, part: str) -> list[int]:
    """The home's processes whose command line holds that part."""
    return [pid for pid, command in processes(home).items() if part in command]


def roster(path: Path, first: int = 0) -> Path:
    """A roster of ROWS students."""
    path.write_bytes(workbook([student(first + n) for n in range(1, ROWS + 1)]).getvalue())
    return path


def saved(start: Start) -> int:
    """How many students the school has."""
    out, _ = start("applications", "plan", "--school", SCHOOL, "--format", "json").communicate()
    plan = json.loads(out)
    return sum(len(one["students"]) for one in plan["applications"]) + len(plan["excluded"])


def importing(start: Start, file: Path) -> subprocess.Popen[bytes]:
    return start("roster", "import", file, "--school", SCHOOL, "--format", "json")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_command_that_is_broken_off_takes_all_with_it(
    start: Start, home: str, tmp_path: Path, number: signal.Signals
) -> None:
    command = importing(start, roster(tmp_path / "r.xlsx"))
    until(lambda: of(home, "batch.worker"), "a worker")
    command.send_signal(number)
    out, told = command.communicate(timeout=60)
    assert (command.returncode, out) == (1, b"")
    assert told.decode().endswith("已中断。\n")
    assert not processes(home)
    assert saved(start) in (0, ROWS)


def test_an_import_ends_well_though_its_workers_are_killed(
    start: Start, home: str, tmp_path: Path
) -> None:
    command = importing(start, roster(tmp_path / "r.xlsx"))
    for _ in range(2):
        until(lambda: of(home, "batch.worker") or command.poll() is not None, "a worker")
        for pid in of(home, "batch.worker"):
            kill_process(pid)
    out, told = command.communicate(timeout=120)
    assert command.returncode == 0, told
    assert json.loads(out)["created"] == ROWS
    assert not processes(home)


def test_two_imports_at_once(start: Start, home: str, tmp_path: Path) -> None:
    commands = [
        importing(start, roster(tmp_path / f"{first}.xlsx", first)) for first in (0, 50_000)
    ]
    for command in commands:
        out, told = command.communicate(timeout=180)
        assert command.returncode == 0, told
        assert json.loads(out)["created"] == ROWS
    assert not processes(home)
    assert saved(start) == 2 * ROWS


def test_serve_restarts_what_died_and_stops_clean(start: Start, home: str, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    served = start("serve", "--workers", "2", PORT=port)
    until(lambda: _answers(port), "the site")
    first = of(home, "batch.worker")
    assert len(first) == 2
    kill_process(first[0])
    until(lambda: len(set(of(home, "batch.worker")) - set(first)) == 1, "a new worker")

    taken = start("serve", PORT=port)
    _, told = taken.communicate(timeout=60)
    assert (taken.returncode, told.decode().count("\n")) == (1, 1)

    command = importing(start, roster(tmp_path / "r.xlsx"))
    out, told = command.communicate(timeout=120)
    assert command.returncode == 0, told
    assert json.loads(out)["created"] == ROWS
    served.terminate()
    served.communicate(timeout=90)
    assert served.returncode == 0
    assert not processes(home)


def _answers(port: str) -> bool:
    with suppress(URLError, OSError), urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2):
        return True
    return False
