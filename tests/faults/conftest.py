"""Real worker processes on a real Valkey, with leases and sweeps quick enough to watch.

This process's clock stands weeks away from the workers': nothing of theirs depends on it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa
from flask import Flask
from redis import Redis
from sqlalchemy.orm import Session

from school_portal import bell
from school_portal.embedded_redis import EmbeddedRedis
from school_portal.extensions import db
from school_portal.models import Job, JobState, Roster, Student, dialect
from school_portal.services import rosters
from school_portal.services.access import Actor
from school_portal.services.portal import Portal
from tests.factories.operation import Operation, running, workbook

CONSOLE = Actor.operator_at_the_console()
LEASE_SECONDS = 2
ENDED = {JobState.DONE, JobState.FAILED, JobState.CANCELLED, JobState.QUARANTINED}


def until(condition: Callable[[], object], what: str, seconds: float = 120) -> None:
    """Wait for the condition; the deadline is far beyond what it takes."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s for: {what}"
        time.sleep(0.01)


def children(pid: int) -> list[int]:
    """The processes that this one started."""
    try:
        return [child.pid for child in psutil.Process(pid).children()]
    except psutil.NoSuchProcess:  # it has just ended
        return []


def kill_process(pid: int) -> None:
    """`kill -9`, also of one that has just ended."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def committed(session: Session, job: Job | None) -> str:
    """The job's id; the session is left without a transaction, for the workers need the lock."""
    assert job is not None
    job_id = job.id
    session.commit()
    return job_id


class Crew:
    """Worker processes that can be killed and replaced."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.environment = {**os.environ, **environment, "PYTHONPATH": str(Path.cwd())}
        self.folder = folder
        self.workers: list[subprocess.Popen[bytes]] = []
        self.started = 0

    def start(self, *program: str) -> subprocess.Popen[bytes]:
        """A worker; `program`: what Python runs in its place."""
        self.started += 1
        with (self.folder / f"worker-{self.started}.log").open("wb") as log:
            worker = subprocess.Popen(
                [sys.executable, *(program or ("-m", "batch.worker"))],
                env=self.environment,
                stderr=log,
            )
        self.workers.append(worker)
        return worker

    def horses(self) -> list[int]:
        return [horse for worker in self.workers for horse in children(worker.pid)]

    def kill_worker(self, worker: subprocess.Popen[bytes]) -> None:
        worker.kill()
        worker.wait()
        self.workers.remove(worker)

    def end(self) -> None:
        horses = self.horses()
        for worker in self.workers:
            worker.kill()
            worker.wait()
        for horse in horses:
            kill_process(horse)

    def logs(self) -> str:
        return "".join(path.read_text() for path in sorted(self.folder.glob("worker-*.log")))


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    """A server that the workers do not own, so that it can be taken from them."""
    server = EmbeddedRedis(tmp_path / "valkey")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def environment(environment: dict[str, str], valkey: EmbeddedRedis) -> dict[str, str]:
    return {
        **environment,
        "SCHOOL_PORTAL_REDIS_URL": valkey.url,
        "SCHOOL_PORTAL_LEASE_SECONDS": str(LEASE_SECONDS),
        "SCHOOL_PORTAL_SWEEP_SECONDS": "0.5",
    }


@pytest.fixture
def crew(environment: dict[str, str], tmp_path: Path, app: Flask) -> Iterator[Crew]:
    """No worker yet; whatever the test starts is ended."""
    made = Crew(environment, tmp_path)
    yield made
    made.end()


@pytest.fixture
def redis(app: Flask) -> Redis:
    connection: Redis = app.extensions["bell"]
    return connection


@pytest.fixture
def worker(crew: Crew, redis: Redis) -> subprocess.Popen[bytes]:
    """One worker, listening."""
    made = crew.start()
    until(lambda: bell.worker_is_up(redis), "a worker")
    return made


@pytest.fixture
def working(crew: Crew, redis: Redis) -> Crew:
    """Two workers, listening."""
    for _ in range(2):
        crew.start()
    until(lambda: redis.scard(bell.WORKERS) == 2, "two workers")
    return crew


@dataclass(frozen=True)
class Office:
    """A school's operator at the portal: uploads and confirms, and leaves the rest to workers."""

    session: Session
    portal: Portal
    school_id: int

    def upload(self, rows: Sequence[dict[str, str]]) -> tuple[int, str]:
        """The roster's id, and its job's."""
        return self.upload_file(workbook(list(rows)).getvalue())

    def upload_file(self, content: bytes) -> tuple[int, str]:
        """As `upload`, of a file that is written already."""
        roster = rosters.upload(
            self.session, self.portal, CONSOLE, self.school_id, BytesIO(content), "名册.xlsx"
        )
        roster_id = roster.id
        return roster_id, committed(self.session, rosters.active_job(self.session, roster))

    def confirm(self, roster_id: int) -> str:
        """The job's id."""
        roster = self.session.get_one(Roster, roster_id, populate_existing=True)
        job = rosters.confirm(self.session, self.portal, CONSOLE, roster, accept_valid=False)
        return committed(self.session, job)

    def roster(self, roster_id: int) -> Roster:
        with reading() as session:
            return session.get_one(Roster, roster_id)


@pytest.fixture
def office(session: Session, portal: Portal, operation: Operation) -> Office:
    school_id = operation.school.id
    session.commit()
    return Office(session, portal, school_id)


@pytest.fixture
def operation(session: Session) -> Operation:
    made = running(session)
    session.commit()
    return made


@contextmanager
def reading() -> Iterator[Session]:
    """A look at the database that holds nobody up."""
    with Session(db.engine, expire_on_commit=False) as session:
        dialect.read_only(session)
        yield session


def state_of(job_id: str) -> JobState:
    """What the ledger says now."""
    with reading() as session:
        return session.scalars(sa.select(Job.state).where(Job.id == job_id)).one()


def read_job(job_id: str) -> Job:
    with reading() as session:
        return session.get_one(Job, job_id)


def ended(job_id: str) -> bool:
    return state_of(job_id) in ENDED


def student_count() -> int:
    with reading() as session:
        return session.scalars(sa.select(sa.func.count()).select_from(Student)).one()
