"""The README's two commands on a copy, where Python and make are all that is on the PATH.

`rm` and `touch`, which the Makefile calls, are on every system that has make.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import urlopen

ROOT = Path(__file__).parents[1]
ON_THE_PATH = ("python3", "make", "rm", "touch")
NOT_COPIED = (".git", ".venv", ".*_cache", "__pycache__", "*.egg-info", "instance")
SETTINGS = ("CI", "PORT", "TEST_POSTGRESQL_URL")
# What starts programs, a PostgreSQL of the wheel among them; all has just been run with `CI=true`.
TESTED = (
    "tests/architecture",
    "tests/browser",
    "tests/faults/test_commands.py",
    "tests/faults/test_stops.py",
    "tests/integration/test_backup.py",
    "tests/integration/test_behind_nginx.py",
    "tests/integration/test_embedded_redis.py",
)
SECONDS = 120  # for the demonstration to end


def main() -> None:
    """Exit status 0 where both did what the README says."""
    make = shutil.which("make")
    if make is None:
        sys.exit("make is not installed")
    with TemporaryDirectory(prefix="portal-bare-") as name:
        folder = Path(name)
        environment = bare_environment(folder / "bin")
        project = folder / "project"
        shutil.copytree(ROOT, project, ignore=shutil.ignore_patterns(*NOT_COPIED))
        run(make, project, environment)
        some = {**environment, "PYTEST_ADDOPTS": " ".join(TESTED)}
        tested = subprocess.run([make, "test"], cwd=project, env=some, check=False)  # noqa: S603
    sys.exit(tested.returncode)


def bare_environment(folder: Path) -> dict[str, str]:
    folder.mkdir()
    for name in ON_THE_PATH:
        found = shutil.which(name)
        if found is None:
            sys.exit(f"{name} is not installed")
        (folder / name).symlink_to(found)
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in SETTINGS and not name.startswith("SCHOOL_PORTAL_")
    }
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return {**kept, "PATH": str(folder), "PORT": str(port)}


def run(make: str, project: Path, environment: dict[str, str]) -> None:
    """`make run` until it says how to stop it, and Ctrl-C."""
    process = subprocess.Popen(  # noqa: S603
        [make, "run"],
        cwd=project,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None  # noqa: S101  it is a pipe
    said = ""
    for line in process.stdout:
        sys.stdout.write(line)
        said += line
        if "Ctrl-C" in line:
            break
    site = re.search(r"http://\S+", said)
    if site is None:
        sys.exit("make run did not come up")
    with urlopen(f"{site[0]}/healthz", timeout=SECONDS) as answer:  # noqa: S310  it is http
        sys.stdout.write(f"{answer.status} {site[0]}\n")
    os.killpg(process.pid, signal.SIGINT)
    last, _ = process.communicate(timeout=SECONDS)
    if "已停止" not in last:
        sys.exit(f"make run did not stop: {last}")


if __name__ == "__main__":
    main()
