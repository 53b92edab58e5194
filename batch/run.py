"""What RQ calls: a ledger id in, the job's own function found by its name."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import sqlalchemy as sa
import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from school_portal import jobs
from school_portal.extensions import db
from school_portal.logs import described
from school_portal.models import Job, JobState, Roster
from school_portal.services import saving
from school_portal.services.access import NotFound
from school_portal.services.portal import Portal, current_portal

log = structlog.get_logger()

Function = Callable[[Session, jobs.Claim, Portal], dict[str, Any] | None]
# What may well pass the next time; anything else would fail again, and is told at once.
PASSING = (DBAPIError, sa.exc.TimeoutError, RedisError, OSError, MemoryError)
WATCH_SECONDS = 0.5


def run(job_id: str) -> None:
    """Do the job if it is free; the ledger says how it ended.

    Runs in the work-horse, inside the worker's application context. No exception leaves it: RQ
    would log its text, which may hold a user's data.
    """
    try:
        execute(current_portal(), job_id, os.environ["RQ_WORKER_ID"])
    except Exception as error:
        log.error("job.crashed", job=job_id, **described(error))
    finally:
        db.session.remove()


def execute(portal: Portal, job_id: str, worker: str) -> None:
    """Claim the job, do it, and write its end; a job that is another's is left alone."""
    session = db.session()
    claim = jobs.claim(session, job_id, worker, portal.clock())
    job = session.get(Job, job_id, populate_existing=True)
    if job is not None and job.state is JobState.QUARANTINED:
        _give_up(session, job)
    session.commit()
    if job is None or claim is None:
        log.info("job.not_free", job=job_id)
        return
    with (
        structlog.contextvars.bound_contextvars(job=job.id, kind=job.kind, request=job.request_id),
        _stopped_by_signal(claim),
        _heartbeat(claim),
    ):
        log.info("job.began", attempt=job.attempts)
        try:
            _work(session, portal, claim, job.kind)
        except jobs.LostLease:
            session.rollback()
            log.warning("job.lost")


def _work(session: Session, portal: Portal, claim: jobs.Claim, kind: str) -> None:
    try:
        claim.checkpoint(session)
        session.commit()
        if _misplaced(session, session.get_one(Job, claim.job_id)):
            raise NotFound(kind)
        result = function_of(kind)(session, claim, portal)
        claim.finish(session, portal.clock(), JobState.DONE, result=result)
        session.commit()
        log.info("job.done")
    except jobs.LostLease:
        raise
    except Exception as error:
        session.rollback()
        _end(session, portal, claim, error)
        session.commit()


def _end(session: Session, portal: Portal, claim: jobs.Claim, error: Exception) -> None:
    """Write how a job ended that was not done. Raises LostLease."""
    now = portal.clock()
    job = session.get_one(Job, claim.job_id)
    match error:
        case jobs.HandBack():
            claim.hand_back(session, counts=False)
            log.info("job.handed_back")
        case jobs.Cancelled():
            claim.finish(session, now, JobState.CANCELLED)
            _cancelled(session, job)
            log.info("job.cancelled")
        case _ if isinstance(error, PASSING) and job.attempts < jobs.MAX_ATTEMPTS:
            claim.hand_back(session, counts=True)
            log.warning("job.put_back", **described(error))
        case _:
            claim.finish(session, now, JobState.FAILED, error=type(error).__name__)
            _give_up(session, job)
            log.error("job.failed", **described(error))


def _give_up(session: Session, job: Job) -> None:
    """Let what the job worked on say that nobody works on it any more."""
    if job.kind.startswith("roster-") and job.subject_id and not _misplaced(session, job):
        saving.give_up(session, job.subject_id)


def _cancelled(session: Session, job: Job) -> None:
    """Let what the job worked on say that its owner stopped it."""
    if job.kind.startswith("roster-") and job.subject_id and not _misplaced(session, job):
        saving.stop(session, job.subject_id)


def _misplaced(session: Session, job: Job) -> bool:
    """Whether the job is of one school and its subject another's, which is left as it is."""
    if job.kind.startswith("roster-"):
        of = session.scalar(sa.select(Roster.school_id).where(Roster.id == job.subject_id))
        return of != job.school_id
    return job.kind == "applications-generate" and job.subject_id != job.school_id


def function_of(kind: str) -> Function:
    """The function that does jobs of this kind."""
    module, name = jobs.KINDS[kind].rsplit(".", 1)
    found: Function = getattr(import_module(module), name)
    return found


@contextmanager
def _stopped_by_signal(claim: jobs.Claim) -> Iterator[None]:
    """SIGTERM makes the job's next checkpoint hand it back."""
    before = signal.signal(signal.SIGTERM, lambda number, frame: claim.stopping.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _heartbeat(claim: jobs.Claim) -> Iterator[None]:
    """Renew the lease beside long statements, on a connection of its own.

    It also watches the worker: a work-horse whose worker was killed hands its job back, for
    nobody else would notice when this process hangs or dies in its turn.
    """
    ended = threading.Event()
    engine, worker_pid = db.engine, os.getppid()

    def beat() -> None:
        period = jobs.lease().total_seconds() / 3
        waited = 0.0
        while not ended.wait(WATCH_SECONDS):
            if os.getppid() != worker_pid:
                claim.stopping.set()
            waited += WATCH_SECONDS
            if waited < period:
                continue
            waited = 0.0
            try:
                with Session(engine) as session, session.begin():
                    claim.renew(session)
            except jobs.LostLease:  # the next checkpoint finds it too
                return
            except Exception as error:  # a busy or absent database: the next beat may pass
                log.warning("heartbeat.failed", **described(error))

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
