"""The job ledger and its outbox: who may work on what, and until when.

The database is the truth. Redis is told a ledger id and nothing else, after the commit; what it
forgets, the sweeper rings again. Leases and bells are stamped and judged by `dialect.clock` alone:
the clocks of workers and of the web may differ from it and from one another.
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.models import Job, JobState, OutboxMessage, dialect

QUEUE = "portal"
ENTRY = "batch.run.run"
KINDS: Mapping[str, str] = {
    "roster-check": "batch.rosters.check",
    "roster-apply": "batch.rosters.apply",
    "applications-generate": "batch.applications.generate",
    "keys-rotate": "batch.keys.rotate",
    "mail-send": "batch.mail.send",
    "files-tidy": "batch.files.tidy",
    "audit-verify": "batch.audit.verify",
}
MAX_ATTEMPTS = 5
TOO_MANY_ATTEMPTS = "job.attempts"  # the error of a job in quarantine
TO_RING = "jobs_to_ring"  # in a session's info


def lease() -> timedelta:
    """How long a worker may be silent before its job is given to another."""
    return timedelta(seconds=float(os.environ.get("SCHOOL_PORTAL_LEASE_SECONDS", "30")))


class LostLease(Exception):
    """Another worker has the job; what this one did since its last commit must be undone."""


class Cancelled(Exception):
    """The job's owner gave it up."""


class HandBack(Exception):
    """This worker is to stop; the job goes back to the queue."""


def enqueue(
    session: Session,
    kind: str,
    *,
    subject_id: int | None,
    school_id: int | None,
    options: Mapping[str, Any],
    actor_id: int | None,
    now: datetime,
    request_id: str | None = None,
) -> Job:
    """A queued job and its message in the outbox, in the caller's transaction."""
    job = Job(
        id=uuid.uuid4().hex,
        kind=kind,
        subject_id=subject_id,
        options=dict(options),
        school_id=school_id,
        state=JobState.QUEUED,
        request_id=request_id,
        created_by_id=actor_id,
        created_at=now,
    )
    session.add(job)
    session.flush()
    _post(session, job.id)
    session.flush()
    return job


def is_waiting(session: Session, kind: str) -> bool:
    """Whether a job of the kind is queued, or somebody is at it."""
    at_it = sa.select(Job.id).where(
        Job.kind == kind, Job.state.in_((JobState.QUEUED, JobState.RUNNING))
    )
    return session.scalar(at_it.limit(1)) is not None


def _post(session: Session, job_id: str) -> None:
    """A message for after the commit; the bell is rung then, and again by the sweeper."""
    session.add(OutboxMessage(job_id=job_id, created_at=dialect.clock(session)))
    session.info.setdefault(TO_RING, []).append(job_id)


def request_cancel(session: Session, job: Job) -> bool:
    """Ask for a job to end; the worker at its next checkpoint, or the next to claim it, ends it.

    Whether there was anything left to end.
    """
    asked = session.execute(
        sa.update(Job)
        .where(Job.id == job.id, Job.state.in_((JobState.QUEUED, JobState.RUNNING)))
        .values(cancel_requested=True)
    )
    return bool(asked.rowcount)  # type: ignore[attr-defined]


@dataclass(slots=True)
class Claim:
    """A worker's hold on a job: every write of the job passes through it."""

    job_id: str
    fence: int
    subject_id: int
    stopping: threading.Event = field(default_factory=threading.Event)

    def checkpoint(
        self,
        session: Session,
        *,
        stage: str = "",
        done: int = 0,
        total: int | None = None,
    ) -> None:
        """Guard, heartbeat and progress (in rows), in the caller's transaction.

        Raises LostLease, Cancelled or HandBack; the caller rolls back.
        """
        leased_until = dialect.clock(session, lease())
        values = {"leased_until": leased_until, "stage": stage, "done": done, "total": total}
        if self._write(session, values):
            raise Cancelled
        if self.stopping.is_set():
            raise HandBack

    def finish(self, session: Session, now: datetime, state: JobState, **values: Any) -> None:
        """End the job, in the transaction of its last write. Raises LostLease."""
        self._write(session, {"state": state, "finished_at": now, "leased_until": None, **values})

    def hand_back(self, session: Session, *, counts: bool) -> None:
        """Put the job back in the queue; the attempt counts where it failed.

        The bell is rung at once for one that did not fail; for one that did, by the sweeper later:
        what stood in its way may be gone by then. Raises LostLease.
        """
        attempts = Job.attempts if counts else Job.attempts - 1
        self._write(session, {"state": JobState.QUEUED, "leased_until": None, "attempts": attempts})
        if not counts:
            _post(session, self.job_id)

    def renew(self, session: Session) -> None:
        """Lengthen the lease beside a long statement. Raises LostLease."""
        self._write(session, {"leased_until": dialect.clock(session, lease())})

    def _write(self, session: Session, values: Mapping[str, Any]) -> bool:
        """Write under the fence; whether the job's end was asked for. Raises LostLease."""
        cancelled: bool | None = session.scalar(
            sa.update(Job)
            .where(Job.id == self.job_id, Job.fence == self.fence, Job.state == JobState.RUNNING)
            .values(**values)
            .returning(Job.cancel_requested)
            .execution_options(synchronize_session=False)
        )
        if cancelled is None:
            raise LostLease
        return cancelled


def claim(session: Session, job_id: str, worker: str, now: datetime) -> Claim | None:
    """The job, for this worker: queued, or running under a lease that ran out; else None.

    One whose attempts are used up is put in quarantine instead.
    """
    free = sa.and_(
        Job.id == job_id,
        sa.or_(
            Job.state == JobState.QUEUED,
            sa.and_(*_stalled(session)),
        ),
    )
    session.execute(
        sa.update(Job)
        .where(free, Job.attempts >= MAX_ATTEMPTS)
        .values(state=JobState.QUARANTINED, finished_at=now, error=TOO_MANY_ATTEMPTS)
        .execution_options(synchronize_session=False)
    )
    held = session.execute(
        sa.update(Job)
        .where(free)
        .values(
            state=JobState.RUNNING,
            fence=Job.fence + 1,
            attempts=Job.attempts + 1,
            worker=worker,
            leased_until=dialect.clock(session, lease()),
            started_at=sa.func.coalesce(Job.started_at, sa.literal(now, Job.started_at.type)),
        )
        .returning(Job.fence, Job.subject_id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if held is None:
        return None
    note_rung(session, [job_id])
    return Claim(job_id, held.fence, held.subject_id)


def release(session: Session, job_id: str, worker: str) -> bool:
    """Put back what a worker held that is known to be dead; the attempt counts."""
    released = session.execute(
        sa.update(Job)
        .where(Job.id == job_id, Job.state == JobState.RUNNING, Job.worker == worker)
        .values(state=JobState.QUEUED, leased_until=None)
        .returning(Job.id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if released is not None:
        _post(session, job_id)
    return released is not None


def stalled(session: Session) -> list[str]:
    """The jobs whose worker was silent for longer than its lease."""
    return list(session.scalars(sa.select(Job.id).where(*_stalled(session))))


def _stalled(session: Session) -> tuple[sa.ColumnElement[bool], ...]:
    """Under a lease that ran out, or under one longer than any: the clock was put back since."""
    now, longest = dialect.clock(session), dialect.clock(session, 2 * lease())
    return Job.state == JobState.RUNNING, ~Job.leased_until.between(now, longest)


def requeue_stalled(session: Session) -> None:
    """Put the stalled jobs back in the queue; the attempt counts."""
    session.execute(
        sa.update(Job)
        .where(*_stalled(session))
        .values(state=JobState.QUEUED, leased_until=None)
        .execution_options(synchronize_session=False)
    )


def unheard(session: Session, waited: timedelta) -> list[str]:
    """The queued jobs, oldest first, whose bell was last rung that long ago, or never by our clock.

    The latter is of a time that has not come: the clock was put back since.
    """
    of_late = dialect.clock(session, -waited), dialect.clock(session, waited)
    last_rung = sa.func.max(sa.func.coalesce(OutboxMessage.sent_at, OutboxMessage.created_at))
    return list(
        session.scalars(
            sa.select(Job.id)
            .join(OutboxMessage, OutboxMessage.job_id == Job.id)
            .where(Job.state == JobState.QUEUED)
            .group_by(Job.id, Job.created_at)
            .having(~last_rung.between(*of_late))
            .order_by(Job.created_at, Job.id)
        )
    )


def note_rung(session: Session, job_ids: Sequence[str]) -> None:
    """Note in the outbox that the jobs' messages left, or were heard."""
    session.execute(
        sa.update(OutboxMessage)
        .where(OutboxMessage.job_id.in_(job_ids))
        .values(sent_at=dialect.clock(session))
        .execution_options(synchronize_session=False)
    )
