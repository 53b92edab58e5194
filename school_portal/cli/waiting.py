"""Handing a job to a worker and waiting for it, with a worker of our own where none is up."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import current_app

from school_portal import bell
from school_portal.cli.processes import Interrupted, Supervisor, python, supervised
from school_portal.extensions import db
from school_portal.jobs import request_cancel
from school_portal.models import Job, JobState, dialect
from school_portal.services.portal import current_portal

POLL_SECONDS = 0.1
LOOK_SECONDS = 2.0  # between two looks whether a worker is up
PATIENCE_SECONDS = 5.0  # after which a job that nobody took gets a worker of ours

Tell = Callable[[int, int | None], None]  # of rows done, of all rows

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
            with self._bar(label) as tell:
                return self._watch(job_id, tell)
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

    def _bar(self, label: str) -> AbstractContextManager[Tell]:
        if not self.shown:
            return nullcontext(lambda done, total: None)
        from school_portal.cli.bar import bar  # noqa: PLC0415  only a terminal needs rich

        return bar(label)

    def _watch(self, job_id: str, tell: Tell) -> JobState:
        untaken_since = time.monotonic()
        while True:
            state, done, total = _at_this_moment(job_id)
            tell(done, total)
            if state not in _WAITED_FOR:
                tell(total or done, total or done)
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
    bell.install(current_app, settings)
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
