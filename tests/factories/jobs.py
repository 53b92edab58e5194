"""Jobs in the ledger, held by workers that need not exist."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal import jobs
from school_portal.models import Job, OutboxMessage, dialect
from tests.conftest import NOW


def enqueue(session: Session, kind: str = "applications-generate", **values: Any) -> Job:
    given: dict[str, Any] = {
        "subject_id": 1,
        "school_id": None,
        "options": {},
        "actor_id": None,
        "now": NOW,
    }
    given |= values
    return jobs.enqueue(session, kind, **given)


def claimed(session: Session, job: Job, worker: str = "first", **values: Any) -> jobs.Claim:
    claim = jobs.claim(session, job.id, worker, **{"now": NOW, **values})
    assert claim is not None
    return claim


def set_lease(session: Session, job: Job, ahead: timedelta) -> None:
    """Let the job's lease end that far from now; no clock that a test holds decides it."""
    values = {"leased_until": dialect.clock(session, ahead)}
    session.execute(sa.update(Job).where(Job.id == job.id).values(values))


def run_out(session: Session, job: Job) -> None:
    """As though its worker had been silent for as long as its lease."""
    set_lease(session, job, -timedelta(seconds=1))


def forget_the_bell(session: Session) -> None:
    """As though it had been rung a minute ago."""
    long_ago = dialect.clock(session, -timedelta(minutes=1))
    session.execute(sa.update(OutboxMessage).values(created_at=long_ago, sent_at=None))
    session.commit()
