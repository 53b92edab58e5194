"""Handing a job to a worker and waiting for it, with a worker of our own where none is up."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import current_app
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from school_portal import bell
from school_portal.cli.processes import Interrupted, Supervisor, python, supervised
from school_portal.extensions import db
from school_portal.jobs import request_cancel
from school_portal.models import Job, JobState, dialect
from school_portal.services.portal import current_portal

POLL_SECONDS = 0.1
LOOK_SECONDS = 2.0  # between two looks whether a worker is up
PATIENCE_SECONDS = 5.0  # after which a job that nobody took gets a worker of ours

_WAITED_FOR = (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True, slots=True)
class Waiter:
    """Waits for jobs.

    `look` sees to it that somebody works, on a job that nobody has taken since then (monotonic
    seconds). Progress goes to standard error where it is `shown`.
    """

    look: Callable[[float], None]
    shown: bool

    def wait(self, job_id: str, label: str) -> JobState:
        """The state in which the job ended; an interrupted wait gives the job up."""
        try:
            with self._bar() as bar:
                return self._watch(job_id, bar, bar.add_task(label, total=None))
        except Interrupted:
            session = db.session()
            session.rollback()
            request_cancel(session, session.get_one(Job, job_id))
            session.commit()
            raise

    def result(self, job_id: str, label: str) -> dict[str, Any] | None:
        """What the job answered; None where it was not done."""
        state = self.wait(job_id, label)
        session = db.session()
        answered = session.get_one(Job, job_id).result
        session.rollback()  # on SQLite whoever has begun keeps others from writing
        return answered if state is JobState.DONE else None

    def _bar(self) -> Progress:
        return Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not self.shown,
        )

    def _watch(self, job_id: str, bar: Progress, task: TaskID) -> JobState:
        untaken_since = time.monotonic()
        while True:
            state, done, total = _at_this_moment(job_id)
            bar.update(task, completed=done, total=total)
            if state not in _WAITED_FOR:
                bar.update(task, completed=total or done, total=total or done)
                return state
            if state is JobState.RUNNING:
                untaken_since = time.monotonic()
            self.look(untaken_since)
            time.sleep(POLL_SECONDS)


class _Hand:
    """A worker at hand: somebody's that is up, or our own."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._owned = False
        self._looked = 0.0

    def look(self, untaken_since: float) -> None:
        """As a Waiter's `look`."""
        if self._owned:
            self._supervisor.tend()
            return
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        waited = now - untaken_since > PATIENCE_SECONDS
        if waited or not bell.worker_is_up(current_app.extensions["bell"]):
            self._supervisor.start("任务进程", python("batch.worker"))
            self._owned = True


@contextmanager
def worker_at_hand() -> Iterator[Waiter]:
    """A worker for as long as the block lasts; what we start for it ends with it.

    Raises as `supervised`.
    """
    settings = current_portal().settings
    with supervised(settings, settings.home / "logs" / "worker.log") as supervisor:
        look = _Hand(supervisor).look
        look(time.monotonic())
        yield Waiter(look, shown=sys.stderr.isatty())


def _at_this_moment(job_id: str) -> tuple[JobState, int, int | None]:
    session = db.session()
    session.rollback()
    dialect.read_only(session)
    state, done, total = session.execute(
        sa.select(Job.state, Job.done, Job.total).where(Job.id == job_id)
    ).one()
    session.rollback()
    return state, done, total
