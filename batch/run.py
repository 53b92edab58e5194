"""What RQ calls: a ledger id in, the job's own function found by its name."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from school_portal import jobs
from school_portal.app import build
from school_portal.extensions import db
from school_portal.models import Job, JobState
from school_portal.services import rosters
from school_portal.services.portal import Portal

log = structlog.get_logger()


def run(job_id: str) -> None:
    """Do the job if it is free; the ledger says how it ended."""
    app = build()
    with app.app_context():
        try:
            execute(app.extensions["portal"], job_id)
        finally:
            db.session.remove()
            db.engine.dispose()


def worker_name(pid: int) -> str:
    """The name under which a process of this machine claims jobs."""
    return f"{os.uname().nodename}:{pid}"


def execute(portal: Portal, job_id: str) -> None:
    """Claim the job, do it, and write its end; a job that is another's is left alone."""
    session = db.session()
    claim = jobs.claim(session, job_id, worker_name(os.getpid()), portal.clock())
    job = session.get(Job, job_id)
    if job is not None and job.state is JobState.QUARANTINED:
        _give_up(session, job)
    session.commit()
    if job is None or claim is None:
        return
    with (
        structlog.contextvars.bound_contextvars(job=job.id, kind=job.kind, request=job.request_id),
        _stopped_by_signal(claim),
        _heartbeat(portal, claim),
    ):
        log.info("job.began", attempt=job.attempts)
        _work(session, portal, claim, job)


def _work(session: Session, portal: Portal, claim: jobs.Claim, job: Job) -> None:
    try:
        result = function_of(job.kind)(session, claim, portal)
        claim.finish(session, portal.clock(), JobState.DONE, result=result)
        session.commit()
        log.info("job.done")
    except jobs.LostLease:
        session.rollback()
        log.warning("job.lost")
    except jobs.HandBack:
        session.rollback()
        claim.hand_back(session, portal.clock())
        session.commit()
        log.info("job.handed_back")
    except jobs.Cancelled:
        session.rollback()
        claim.finish(session, portal.clock(), JobState.CANCELLED)
        session.commit()
        log.info("job.cancelled")
    except Exception as error:
        # The text may hold a user's data: only its type is written down.
        session.rollback()
        log.error("job.failed", error=type(error).__name__)
        _fail(session, portal, claim, type(error).__name__)


def _fail(session: Session, portal: Portal, claim: jobs.Claim, error: str) -> None:
    """Try again, until the attempts are used up."""
    job = session.get_one(Job, claim.job_id)
    try:
        if job.attempts < jobs.MAX_ATTEMPTS:
            claim.hand_back(session, portal.clock(), counts=True)
        else:
            claim.finish(session, portal.clock(), JobState.FAILED, error=error)
            _give_up(session, job)
        session.commit()
    except jobs.LostLease:
        session.rollback()


def _give_up(session: Session, job: Job) -> None:
    """Let what the job worked on say that nobody works on it any more."""
    if job.kind.startswith("roster-") and job.subject_id is not None:
        rosters.give_up(session, job.subject_id)


def function_of(kind: str) -> Callable[[Session, jobs.Claim, Portal], dict[str, Any] | None]:
    """The function that does jobs of this kind."""
    module, name = jobs.KINDS[kind].rsplit(".", 1)
    found: Callable[[Session, jobs.Claim, Portal], dict[str, Any] | None] = getattr(
        import_module(module), name
    )
    return found


@contextmanager
def _stopped_by_signal(claim: jobs.Claim) -> Iterator[None]:
    """SIGTERM makes the job's next checkpoint hand it back."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda number, frame: claim.stopping.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _heartbeat(portal: Portal, claim: jobs.Claim) -> Iterator[None]:
    """Renew the lease beside long statements, on a connection of its own."""
    ended = threading.Event()
    engine = db.engine

    def beat() -> None:
        while not ended.wait(jobs.lease().total_seconds() / 3):
            try:
                with Session(engine) as session, session.begin():
                    claim.renew(session, portal.clock())
            except jobs.LostLease:
                return
            except OperationalError:  # a busy or absent database: the next beat may pass
                continue

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
