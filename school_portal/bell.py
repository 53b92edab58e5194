"""RQ as a doorbell: it carries a ledger id, and may forget it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import structlog
from flask import current_app
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.serializers import JSONSerializer
from sqlalchemy import event
from sqlalchemy.orm import Session

from school_portal import jobs

log = structlog.get_logger()
_FAILURE_SECONDS = 60
_ALIVE_WITHIN = timedelta(seconds=20)


def connect(url: str) -> Redis:
    """A connection that does not wait long for a server that is away."""
    return Redis.from_url(url, socket_connect_timeout=1, health_check_interval=30)


def ring(connection: Redis, job_ids: Iterable[str]) -> bool:
    """Tell the workers of these jobs; False where Redis is away, and the sweeper rings later."""
    queue = Queue(jobs.QUEUE, connection=connection, serializer=JSONSerializer)
    try:
        for job_id in job_ids:
            queue.enqueue(
                jobs.ENTRY,
                job_id,
                job_timeout=-1,
                result_ttl=0,
                failure_ttl=_FAILURE_SECONDS,
                description=job_id,
            )
    except RedisError as error:
        log.warning("bell.away", error=type(error).__name__)
        return False
    return True


@event.listens_for(Session, "after_commit")
def _ring_for_committed(session: Session) -> None:
    """Ring for the jobs that a commit queued, through the application's connection."""
    if session.in_nested_transaction():
        return
    if waiting := session.info.pop(jobs.TO_RING, None):
        ring(current_app.extensions["bell"], waiting)


def worker_is_up(connection: Redis) -> bool:
    """Whether a worker has shown itself lately; the names of killed ones run out by themselves."""
    try:
        workers = Worker.all(connection=connection)
    except RedisError:
        return False
    oldest = datetime.now(UTC) - _ALIVE_WITHIN
    return any(one.last_heartbeat and one.last_heartbeat > oldest for one in workers)
