"""RQ as a doorbell: it carries a ledger id, and may forget it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from socket import gethostname

import structlog
from flask import Flask, current_app
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer
from rq.utils import as_text
from sqlalchemy import event
from sqlalchemy.orm import Session

from school_portal import jobs
from school_portal.config import Settings
from school_portal.embedded_redis import redis_url

log = structlog.get_logger()

WORKERS = f"rq:workers:{jobs.QUEUE}"
JOB_SECONDS = 3600  # a job that hangs is ended
_PROBE = "portal:probe"  # a list that nobody listens at
_KEPT_SECONDS = 60  # RQ's own note of a bell that nobody could answer


def connect(url: str, answer_seconds: float = 5) -> Redis:
    """A connection that does not wait long for a server that is away."""
    return Redis.from_url(
        url,
        socket_connect_timeout=1,
        socket_timeout=answer_seconds,
        health_check_interval=30,
        retry=Retry(NoBackoff(), 1),
    )


def install(app: Flask, settings: Settings) -> None:
    """Let what the application queues be heard."""
    app.extensions["bell"] = connect(redis_url(settings))


def queue(connection: Redis) -> Queue:
    """The one queue; what it carries is JSON."""
    return Queue(jobs.QUEUE, connection=connection, serializer=JSONSerializer)


def ring(connection: Redis, job_ids: Iterable[str]) -> bool:
    """Tell the workers of these jobs; False where Redis is away, and the sweeper rings later.

    Every bell has an id of its own, so that RQ's tidying after one does not swallow the next.
    """
    try:
        for job_id in job_ids:
            queue(connection).enqueue(
                jobs.ENTRY,
                job_id,
                job_id=f"{job_id}_{secrets.token_hex(4)}",
                job_timeout=JOB_SECONDS,
                result_ttl=0,
                failure_ttl=_KEPT_SECONDS,
                description=job_id,
            )
    except RedisError as error:
        log.warning("bell.away", error=type(error).__name__)
        return False
    return True


def probe(connection: Redis) -> None:
    """Ring and take it back. Raises RedisError, also where Redis answers and takes no writes.

    That is ResponseError: its memory is full, its disk, or it is a copy that may only be read.
    """
    with connection.pipeline() as together:
        together.rpush(_PROBE, "")
        together.expire(_PROBE, _KEPT_SECONDS)
        together.lpop(_PROBE)
        together.execute()


def is_first(connection: Redis, name: str, seconds: int) -> bool:
    """Whether nobody else has begun this within so many seconds; a Redis emptied forgets it.

    Raises RedisError.
    """
    return bool(connection.set(f"portal:begun:{name}", "", nx=True, ex=seconds))


def rung(connection: Redis) -> set[str]:
    """The jobs whose bell is in Redis, not yet heard. Raises RedisError."""
    return {bell_id.partition("_")[0] for bell_id in queue(connection).get_job_ids()}


@event.listens_for(Session, "after_commit")
def _ring_for_committed(session: Session) -> None:
    """Ring for the jobs that a commit queued, through the application's connection."""
    if session.in_nested_transaction():
        return
    if waiting := session.info.pop(jobs.TO_RING, None):
        ring(current_app.extensions["bell"], waiting)


@event.listens_for(Session, "after_rollback")
def _forget_what_was_undone(session: Session) -> None:
    if not session.in_nested_transaction():
        session.info.pop(jobs.TO_RING, None)


def worker_is_up(connection: Redis) -> bool:
    """Whether a worker listens: its key runs out within seconds when it is killed.

    One of this machine is looked for by its process, so that a killed one is known at once.
    """
    try:
        keys = [str(as_text(key)) for key in connection.smembers(WORKERS)]
        found = [connection.hmget(key, "hostname", "pid", "death") for key in keys]
    except RedisError:
        return False
    return any(_lives(*fields) for fields in found)


def _lives(host: bytes | str | None, pid: bytes | str | None, death: bytes | str | None) -> bool:
    if host is None or pid is None or death is not None:
        return False
    if as_text(host) != gethostname():
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
