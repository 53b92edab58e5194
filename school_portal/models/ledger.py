"""The job ledger and the outbox: the truth about background work (Redis is a doorbell)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from school_portal.extensions import db
from school_portal.models.types import UtcDateTime, choice


class JobState(StrEnum):
    """Where a job stands; `QUARANTINED` is one that failed too often to be tried again."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    QUARANTINED = "quarantined"


class Job(db.Model):
    """One piece of background work. `fence` grows with each claim: an older one cannot write."""

    __tablename__ = "jobs"
    __table_args__ = (sa.Index("ix_jobs_state_lease", "state", "leased_until"),)

    id: Mapped[str] = mapped_column(sa.String(36), primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(64))
    subject_id: Mapped[int | None]  # of the roster or the school the job works on
    options: Mapped[dict[str, Any]] = mapped_column(sa.JSON, default=dict)  # nothing personal
    school_id: Mapped[int | None] = mapped_column(sa.ForeignKey("schools.id"), index=True)
    state: Mapped[JobState] = mapped_column(choice(JobState))
    fence: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None] = mapped_column(sa.String(100))
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    stage: Mapped[str] = mapped_column(sa.String(32), default="")
    done: Mapped[int] = mapped_column(default=0)  # rows
    total: Mapped[int | None]  # rows, once known
    error: Mapped[str | None] = mapped_column(sa.String(200))  # a code, never a user's data
    result: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)
    request_id: Mapped[str | None] = mapped_column(sa.String(64))
    created_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class OutboxMessage(db.Model):
    """What is to leave the portal after the commit; a row stays until it was sent."""

    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[str] = mapped_column(sa.ForeignKey("jobs.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
