"""The RQ worker: takes ledger ids from one queue, and sweeps the ledger while it waits."""

from __future__ import annotations

import os
import secrets
import signal
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from types import FrameType
from typing import Any

import structlog
from redis import Redis
from redis.client import Pipeline
from redis.exceptions import ConnectionError, RedisError, TimeoutError
from rq import Queue, Worker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from batch.sweeper import SWEEP_SECONDS, sweep, tidy
from school_portal import bell, jobs
from school_portal.config import SettingsError, read
from school_portal.core import build_core
from school_portal.embedded_redis import EmbeddedRedis, NotStarted
from school_portal.extensions import db
from school_portal.logs import configure, described
from school_portal.services.portal import current_portal

log = structlog.get_logger()

WATCH_SECONDS = 5  # how often a worker shows itself while its horse works
ALIVE_SECONDS = 20  # for how long it counts as up after that
TIDYING = 20  # sweeps between two rounds of reminders and of RQ's own tidying
LONGEST_WAIT = 5.0  # seconds between two attempts to reach Redis


class PortalWorker(Worker):
    """RQ's worker, which believes the ledger alone.

    Redis may be away or emptied at any moment: what is only written there for show may fail.
    """

    max_connection_wait_time = LONGEST_WAIT

    def __init__(self, connection: Redis) -> None:
        super().__init__(
            [bell.queue(connection)],
            name=f"{os.uname().nodename}-{os.getpid()}-{secrets.token_hex(4)}",
            connection=connection,
            serializer=JSONSerializer,
            worker_ttl=ALIVE_SECONDS,
            job_monitoring_interval=WATCH_SECONDS,
            log_job_description=False,
        )
        self.told_to_stop = False
        self._horse_status: int | None = None
        self._rounds = count()

    # While it waits: sweep

    @property
    def dequeue_timeout(self) -> float:  # type: ignore[override]
        """Seconds to wait for the bell before looking after what stalled."""
        return SWEEP_SECONDS

    @property
    def should_run_maintenance_tasks(self) -> bool:
        """Every time that RQ stops waiting for the bell.

        Raises StopRequested again: a library may have swallowed what the signal raised in it.
        """
        if self.told_to_stop:
            raise StopRequested
        return True

    def run_maintenance_tasks(self) -> None:
        """Sweep the ledger; now and then remind, and let RQ take its own remains out of Redis."""
        sweep(current_portal(), self.connection)
        if next(self._rounds) % TIDYING == 0:
            self._tidy_in_a_child()
            super().run_maintenance_tasks()

    def _tidy_in_a_child(self) -> None:
        """What touches the storage leaves threads behind, and a horse forked beside them hangs."""
        db.session.remove()
        db.engine.dispose()
        child = os.fork()
        if child == 0:
            try:
                tidy(current_portal(), self.connection)
            except Exception as error:
                log.error("tidy.crashed", **described(error))
            finally:
                os._exit(os.EX_OK)
        os.waitpid(child, 0)

    # What is only for show

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Show this worker for ALIVE_SECONDS, whole, also after Redis was emptied.

        A lost connection is raised as TimeoutError: RQ would knock for ever, where that ends its
        loop, and ours may start the home's server again.
        """
        connection = pipeline if pipeline is not None else self.connection
        try:
            super().heartbeat(ALIVE_SECONDS, pipeline)
            connection.hset(self.key, mapping=self.serialize())
            connection.sadd(self.redis_workers_keys, self.key)
            connection.sadd(bell.WORKERS, self.key)
        except ConnectionError as error:
            raise TimeoutError(str(error)) from error

    def maintain_heartbeats(self, job: Job) -> None:
        if self._stop_requested:  # the first signal may have come before the horse listened
            self._stop_horse()
        with suppress(RedisError):
            super().maintain_heartbeats(job)

    def set_current_job_working_time(
        self, current_job_working_time: float, pipeline: Pipeline | None = None
    ) -> None:
        with suppress(RedisError):
            super().set_current_job_working_time(current_job_working_time, pipeline)

    def subscribe(self) -> None:
        """RQ's commands through Redis are not taken: a doorbell rings, it does not order."""

    def teardown(self) -> None:
        with suppress(RedisError):
            super().teardown()

    # The work-horse

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        """Fork with no database connection open: two processes must not share one."""
        db.session.remove()
        db.engine.dispose()
        super().fork_work_horse(job, queue)

    def wait_for_horse(self) -> tuple[int | None, int | None, Any]:
        pid, self._horse_status, usage = super().wait_for_horse()
        return pid, self._horse_status, usage

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Have the horse do it; what a dead horse held is free again at once.

        RQ's own handler of killed horses is not asked: it is silent where Redis forgot the job.
        """
        self._horse_status = None
        try:
            super().execute_job(job, queue)
        except RedisError as error:
            log.warning("redis.away", error=type(error).__name__)
        finally:
            if self.horse_pid:  # whatever ended the watch, nobody works unwatched
                self.kill_horse()
                self.wait_for_horse()
                self._horse_pid = 0
            if self._horse_status != os.EX_OK:
                self._release(job.args[0])

    def _release(self, job_id: str) -> None:
        try:
            with Session(db.engine) as session, session.begin():
                if jobs.release(session, job_id, self.name, current_portal().clock()):
                    log.warning("horse.killed", job=job_id, status=self._horse_status)
        except DBAPIError as error:  # the lease will run out
            log.warning("release.failed", job=job_id, error=type(error).__name__)

    # The end

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Take no more; the job at hand is asked to hand itself back."""
        if os.getpid() != self.pid:  # a horse just forked: it has claimed nothing yet
            os._exit(1)
        self.told_to_stop = True
        self._shutdown_requested_date = datetime.now(UTC)
        signal.signal(signal.SIGINT, self.request_force_stop)
        signal.signal(signal.SIGTERM, self.request_force_stop)
        if not self.horse_pid:
            raise StopRequested
        self._stop_requested = True
        self._stop_horse()

    def _stop_horse(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.horse_pid, signal.SIGTERM)


def main() -> None:
    """Work until SIGTERM or SIGINT. A Redis that is away is waited for.

    Without REDIS_URL the home's own server runs for as long as anybody uses it. Raises
    SettingsError.
    """
    settings = read()
    app = build_core(settings)
    bell.install(app, settings)
    embedded = None if settings.redis_url else EmbeddedRedis(settings.home)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop_before_work)
    try:
        with app.app_context():
            _work_on(app.extensions["bell"], embedded)
    except (StopRequested, SystemExit):
        log.info("worker.stopped")
    finally:
        if embedded:
            embedded.stop()


def _work_on(connection: Redis, embedded: EmbeddedRedis | None) -> None:
    """One RQ worker after another, each until Redis goes away."""
    wait = 0.5
    while True:
        try:
            if embedded:
                embedded.start()
            worker = PortalWorker(connection)
            wait = 0.5
            worker.work(logging_level="WARNING")
            if worker.told_to_stop:
                return
        except (RedisError, NotStarted) as error:
            log.warning("redis.away", error=type(error).__name__)
        time.sleep(wait)
        wait = min(2 * wait, LONGEST_WAIT)


def _stop_before_work(signum: int, frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    configure()
    try:
        main()
    except SettingsError as error:
        sys.exit(str(error))
