"""Figures of the background work, from the ledger; nothing personal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.models import Job, JobState

RATE_WINDOW = timedelta(minutes=5)
_FAILED = (JobState.FAILED, JobState.QUARANTINED)


@dataclass(frozen=True, slots=True)
class Figures:
    """Jobs by state, the age of the oldest that waits, rows a second of late, failures."""

    by_state: dict[str, int]
    oldest_waiting_seconds: float
    rows_per_second: float
    failures: int


def figures(session: Session, now: datetime) -> Figures:
    """The figures at this moment; rates are of the jobs that ran in the last five minutes."""
    found = session.execute(sa.select(Job.state, sa.func.count()).group_by(Job.state))
    by_state = dict.fromkeys((state.value for state in JobState), 0)
    by_state |= {state.value: number for state, number in found}
    oldest = session.scalar(
        sa.select(sa.func.min(Job.created_at)).where(Job.state == JobState.QUEUED)
    )
    return Figures(
        by_state=by_state,
        oldest_waiting_seconds=max(0.0, (now - oldest).total_seconds()) if oldest else 0.0,
        rows_per_second=_rows_per_second(session, now),
        failures=sum(by_state[state.value] for state in _FAILED),
    )


def _rows_per_second(session: Session, now: datetime) -> float:
    ran = session.execute(
        sa.select(Job.done, Job.started_at, Job.finished_at).where(
            Job.done > 0,
            Job.started_at.is_not(None),
            sa.or_(Job.state == JobState.RUNNING, Job.finished_at > now - RATE_WINDOW),
        )
    ).all()
    seconds = sum(
        max(((finished or now) - started).total_seconds(), 0.001)
        for _, started, finished in ran
        if started is not None
    )
    return sum(done for done, _, _ in ran) / seconds if seconds else 0.0
