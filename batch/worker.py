"""The RQ worker: takes ledger ids from one queue, and sweeps the ledger while it waits."""

from __future__ import annotations

import os
import signal
import threading
from datetime import timedelta
from types import FrameType
from typing import Any

import structlog
from flask import Flask
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.serializers import JSONSerializer
from sqlalchemy.exc import SQLAlchemyError

from batch.run import worker_name
from school_portal import bell, jobs
from school_portal.app import build
from school_portal.extensions import db
from school_portal.logs import configure

log = structlog.get_logger()
SWEEP_SECONDS = int(os.environ.get("SCHOOL_PORTAL_SWEEP_SECONDS", "3"))
# RQ waits for the bell 15 seconds less than this, and looks after itself in between.
WORKER_TTL = 15 + SWEEP_SECONDS


class PortalWorker(Worker):
    """RQ's worker, which also finishes what stalled, and stops its horse gently."""

    app: Flask

    @property
    def should_run_maintenance_tasks(self) -> bool:
        """Every time that RQ stops waiting for the bell."""
        return True

    def run_maintenance_tasks(self) -> None:
        """Sweep the ledger, and ring again what Redis forgot; RQ's registries tell nothing."""
        sweep(self.app, self.connection)

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Take no more; the job at hand is asked to hand itself back."""
        if self.horse_pid:
            os.kill(self.horse_pid, signal.SIGTERM)
        super().request_stop(signum, frame)

    def handle_work_horse_killed(self, job: Any, retpid: int, ret_val: int, rusage: Any) -> None:
        """The ledger need not wait for the lease of a horse that is dead."""
        log.warning("horse.killed", job=job.args[0])
        with self.app.app_context():
            jobs.release(db.session(), job.args[0], worker_name(retpid))
            db.session.commit()
            db.session.remove()
            db.engine.dispose()
        bell.ring(self.connection, [job.args[0]])


def sweep(app: Flask, connection: Redis) -> None:
    """Finish what stalled. Leaves no database connection open: the next horse is a fork of us."""
    with app.app_context():
        session = db.session()
        now = app.extensions["portal"].clock()
        try:
            waiting = jobs.sweep(session, now, bell_after=timedelta(seconds=SWEEP_SECONDS))
            session.commit()
        except SQLAlchemyError as error:
            log.warning("sweep.failed", error=type(error).__name__)
            waiting = []
        finally:
            db.session.remove()
            db.engine.dispose()
    bell.ring(connection, waiting)


def main() -> None:
    """Work until SIGTERM or SIGINT; a Redis that is away is waited for."""
    configure()
    app = build()
    connection: Redis = app.extensions["bell"]
    queue = Queue(jobs.QUEUE, connection=connection, serializer=JSONSerializer)
    stopping = threading.Event()
    while not stopping.is_set():
        try:
            worker = PortalWorker(
                [queue],
                connection=connection,
                serializer=JSONSerializer,
                worker_ttl=WORKER_TTL,
                log_job_description=False,
            )
            worker.app = app
            worker.max_connection_wait_time = SWEEP_SECONDS
            worker.work(logging_level="WARNING")
            return
        except RedisError as error:
            log.warning("redis.away", error=type(error).__name__)
            stopping.wait(1)


if __name__ == "__main__":
    main()
