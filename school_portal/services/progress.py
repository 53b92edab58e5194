"""How far a job is, in the terms of those who wait for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal import jobs
from school_portal.models import Job, JobState

STALLED_AFTER = timedelta(minutes=1)
WAITED_FOR = (JobState.QUEUED, JobState.RUNNING)
# What ended a job that was not done, by the error in the ledger; none of it is the user's doing.
CAUSES = MappingProxyType(
    {
        jobs.TOO_MANY_ATTEMPTS: "处理程序多次被中断",
        "ReaderLost": "读取文件的程序多次被系统中断",
        "StorageFailed": "文件存储暂时无法使用",
        "FileMissing": "存储中没有这份文件",
        "Unreadable": "存储的文件不完整或无法解密",
        "MemoryError": "服务器内存不足",
        "OperationalError": "数据库暂时无法使用",
    }
)
UNEXPECTED = "程序出现意外错误，已记入系统日志"


@dataclass(frozen=True, slots=True)
class Progress:
    """A job at this moment; `rate` in rows a second, `seconds_left` once they can be told.

    `stalled`: it has waited for a while, and no worker does anything.
    """

    job: Job
    ahead: int
    stalled: bool
    percent: int | None
    rate: int | None
    seconds_left: int | None

    @property
    def waits(self) -> bool:
        return self.job.state in WAITED_FOR


def progress(session: Session, job: Job, now: datetime) -> Progress:
    """How far the job is; while queued, how many are before it."""
    ahead = 0
    if job.state is JobState.QUEUED:
        ahead = (
            session.scalar(
                sa.select(sa.func.count())
                .select_from(Job)
                .where(Job.state.in_(WAITED_FOR), Job.created_at < job.created_at)
            )
            or 0
        )
    percent = min(99, job.done * 100 // job.total) if job.total else None
    rate = seconds_left = None
    seconds = (now - job.started_at).total_seconds() if job.started_at else 0
    if seconds >= 1 and job.done:
        rate = max(1, round(job.done / seconds))
        if job.total:
            seconds_left = max(1, round((job.total - job.done) / (job.done / seconds)))
    stalled = job.state is JobState.QUEUED and now - job.created_at > STALLED_AFTER
    if stalled:
        running = sa.exists().where(Job.state == JobState.RUNNING)
        stalled = not session.scalar(sa.select(running))
    return Progress(job, ahead, stalled, percent, rate, seconds_left)


def cause_of(job: Job) -> str:
    """Why nobody works on the job any more, which was not done and not stopped."""
    return CAUSES.get(job.error or "", UNEXPECTED)


def latest_job(session: Session, school_id: int, subject_id: int, *kinds: str) -> Job | None:
    """The last job of those kinds on that subject, whatever became of it."""
    return session.scalar(
        sa.select(Job)
        .where(Job.school_id == school_id, Job.subject_id == subject_id, Job.kind.in_(kinds))
        .order_by(Job.created_at.desc(), Job.id)
        .limit(1)
    )
