"""Commands that are broken off, run beside each other, or stopped in the middle of their jobs."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from urllib.error import URLError
from urllib.request import urlopen

import psutil
import pytest
import sqlalchemy as sa

from school_portal.domain.roster import RosterState
from school_portal.models import Job, JobState
from tests.factories.operation import Operation, student, workbook
from tests.factories.slow_visitors import callers
from tests.faults.conftest import (
    Office,
    ended,
    kill_process,
    read_job,
    reading,
    state_of,
    student_count,
    until,
)

pytestmark = pytest.mark.faults
COMMAND = [sys.executable, "-c", "from school_portal.cli import main; main()"]
ROWS = 1500

Command = subprocess.Popen[bytes]
Start = Callable[..., Command]


@pytest.fixture
def environment(environment: dict[str, str]) -> dict[str, str]:
    """Without a Redis: the commands start their own."""
    return {k: v for k, v in environment.items() if k != "SCHOOL_PORTAL_REDIS_URL"}


@pytest.fixture
def home(environment: dict[str, str]) -> str:
    return environment["SCHOOL_PORTAL_HOME"]


@pytest.fixture
def start(environment: dict[str, str], home: str, office: Office) -> Iterator[Start]:
    """Starts a command on the portal; at the end nothing of it may be left."""
    full = {**os.environ, **environment, "PYTHONPATH": str(Path.cwd())}

    def run(*arguments: str, **more: str) -> Command:
        line = [*COMMAND, *arguments]
        return subprocess.Popen(
            line, env={**full, **more}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    yield run
    left = processes(home)
    for pid in left:
        kill_process(pid)
    assert not left


@pytest.fixture
def importing(start: Start, operation: Operation, office: Office) -> Callable[..., Command]:
    """Starts the import of a file into the first school, or the other."""
    schools = operation.school.uscc, operation.other.uscc
    office.session.commit()

    def run(file: Path, school: int = 0) -> Command:
        return start("roster", "import", str(file), "--school", schools[school], "--format", "json")

    return run


def processes(home: str) -> set[int]:
    """The living processes of that home; its name is in their environment."""
    return {one.pid for one in psutil.process_iter() if _home_of(one) == home}


def _home_of(process: psutil.Process) -> str | None:
    """None for a process that has ended, or is another user's."""
    try:
        return process.environ().get("SCHOOL_PORTAL_HOME")
    except psutil.Error:
        return None


def roster(path: Path, rows: int = ROWS, first: int = 0) -> Path:
    path.write_bytes(workbook([student(first + n) for n in range(1, rows + 1)]).getvalue())
    return path


def saved_whole(command: Command) -> None:
    """The command ends, and tells of ROWS students, new or saved before."""
    out, told = command.communicate(timeout=180)
    assert command.returncode == 0, told
    document = json.loads(out)
    assert document["created"] + document["unchanged"] == ROWS


def job_count(kind: str) -> int:
    with reading() as session:
        query = sa.select(sa.func.count()).select_from(Job).where(Job.kind == kind)
        return session.scalars(query).one()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_import_that_is_broken_off_takes_all_with_it(
    importing: Callable[..., Command], home: str, tmp_path: Path, number: signal.Signals
) -> None:
    file, random = roster(tmp_path / "名册.xlsx"), Random(number)
    for phase, reached in PHASES.items():
        before = reached(home)
        command = importing(file)
        await_phase(command, lambda: reached(home) > before, phase)  # noqa: B023  is called here
        time.sleep(random.uniform(0, 0.5))  # the random moment, no waiting for anything
        command.send_signal(number)
        out, told = command.communicate(timeout=120)
        assert not processes(home), phase
        assert student_count() in (0, ROWS)
        if command.returncode != 0:  # it may have ended before
            assert (command.returncode, out) == (1, b""), (phase, told)
            assert told.decode().endswith("已中断。\n"), phase
    saved_whole(importing(file))
    assert student_count() == ROWS


PHASES: dict[str, Callable[[str], int]] = {
    "uploading": lambda home: len(processes(home)) // 2,  # its Redis or its worker is there too
    "reading": lambda home: job_count("roster-check"),
    "saving": lambda home: job_count("roster-apply"),
}


def await_phase(command: Command, reached: Callable[[], bool], phase: str) -> None:
    until(lambda: reached() or command.poll() is not None, phase)


def test_imports_of_two_schools_at_once(
    importing: Callable[..., Command], home: str, tmp_path: Path
) -> None:
    commands = [
        importing(roster(tmp_path / f"{school}.xlsx", first=50_000 * school), school)
        for school in (0, 1)
    ]
    for command in commands:
        saved_whole(command)
    assert student_count() == 2 * ROWS
    assert not processes(home)


def test_serve_stopped_in_the_middle_finishes_its_jobs_when_it_is_started_again(
    start: Start, office: Office, home: str, tmp_path: Path
) -> None:
    port = _free_port()
    served = start("serve", PORT=port)
    until(lambda: _is_ready(port), "the site")
    content = roster(tmp_path / "名册.xlsx").read_bytes()
    uploaded = dict(office.upload_file(content) for _ in range(20))
    first, *_, last = uploaded.values()
    until(lambda: read_job(first).done > 0, "the first rows")
    served.terminate()
    served.communicate(timeout=120)
    assert served.returncode == 0
    assert not processes(home)
    assert state_of(last) is JobState.QUEUED

    served = start("serve", PORT=port)
    until(lambda: all(map(ended, uploaded.values())), "the jobs' end")
    found = [office.roster(roster_id) for roster_id in uploaded]
    assert {(one.state, one.accepted) for one in found} == {(RosterState.CHECKED, ROWS)}
    served.terminate()
    served.communicate(timeout=120)
    assert served.returncode == 0


def test_fifty_visitors_who_say_nothing_keep_nobody_waiting(start: Start, home: str) -> None:
    port = _free_port()
    served = start("serve", PORT=port)
    until(lambda: _is_ready(port), "the site")
    with callers(50, ("127.0.0.1", int(port))) as idle:
        assert _is_ready(port)
        assert all(one.is_held() for one in idle)
    served.terminate()
    served.communicate(timeout=120)
    assert served.returncode == 0


def _free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def test_serve_tells_of_a_bundle_that_is_none_in_one_line(start: Start, tmp_path: Path) -> None:
    """Before anything is started: none of the web's processes fails on its own."""
    served = start("serve", SCHOOL_PORTAL_CA_BUNDLE=str(tmp_path / "missing.pem"))
    _, told = served.communicate(timeout=60)
    assert served.returncode == 1
    assert told.decode().strip() == "错误：设置 SCHOOL_PORTAL_CA_BUNDLE 所指的文件无法读取"


def _is_ready(port: str) -> bool:
    with suppress(URLError, OSError), urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2):
        return True
    return False
