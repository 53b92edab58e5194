"""A job handed to a worker and waited for; where no worker is up, one is started for as long."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click
from flask import current_app
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy.orm import Session

from school_portal import bell
from school_portal.models import Job, JobState
from school_portal.services.portal import Portal

POLL_SECONDS = 0.1
LOOK_SECONDS = 3.0  # between two looks whether a worker is up
ENDED = {JobState.DONE, JobState.FAILED, JobState.CANCELLED, JobState.QUARANTINED}
STAGES = {
    "": "排队中",
    "reading": "检查中",
    "saving": "保存中",
    "planning": "生成中",
    "resealing": "重新加密",
}


def finish(session: Session, portal: Portal, job_id: str) -> Job:
    """Wait until the job has ended, showing its progress on a terminal.

    Raises ClickException where it ended without being done.
    """
    with _stopped_by_signal(), _Helper(portal) as helper, _progress() as progress:
        bar = progress.add_task(STAGES[""], total=None)
        while True:
            session.rollback()
            job = session.get_one(Job, job_id, populate_existing=True)
            label = STAGES.get(job.stage, job.stage)
            progress.update(bar, description=label, completed=job.done, total=job.total)
            if job.state in ENDED:
                break
            helper.look()
            time.sleep(POLL_SECONDS)
    if job.state is not JobState.DONE:
        raise click.ClickException(
            "后台处理未能完成，请稍后重试；如仍不成，请运行 school-portal doctor。"
        )
    return job


def _progress() -> Progress:
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


@contextmanager
def _stopped_by_signal() -> Iterator[None]:
    """SIGTERM ends the command in order, so that its worker ends too."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise click.Abort

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class _Helper:
    """A worker of our own, where none is up; it starts the embedded Redis where that is needed."""

    def __init__(self, portal: Portal) -> None:
        self.log = portal.settings.home / "logs" / "worker.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.looked = 0.0

    def __enter__(self) -> _Helper:
        self.look()
        return self

    def look(self) -> None:
        """Start a worker unless one is up; look again only after a while."""
        if time.monotonic() - self.looked < LOOK_SECONDS:
            return
        self.looked = time.monotonic()
        running = self.process is not None and self.process.poll() is None
        if not running and not bell.worker_is_up(current_app.extensions["bell"]):
            self.process = start_worker(self.log)

    def __exit__(self, *error: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def start_worker(log: Path) -> subprocess.Popen[bytes]:
    """A worker process; what it logs goes to the file."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "batch.worker"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for us: we end it in order
        )
