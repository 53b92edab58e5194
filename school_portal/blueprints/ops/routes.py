"""Is it alive, is it ready, what does it do: for load balancers and Prometheus."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from math import inf
from threading import Lock
from time import monotonic, perf_counter

import sqlalchemy as sa
import structlog
from flask import Flask, Response, abort, current_app, g, jsonify, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from school_portal import bell
from school_portal.blueprints.errors import problem
from school_portal.blueprints.identity import begin_reading, public
from school_portal.blueprints.ops.blueprint import blueprint
from school_portal.extensions import db
from school_portal.models import dialect
from school_portal.security.cipher import Unreadable
from school_portal.services.figures import figures
from school_portal.services.portal import current_portal

log = structlog.get_logger()
LOOK_SECONDS = 5.0  # between two looks at what the portal leans on


@blueprint.get("/healthz")
@public
def healthz() -> Response:
    return jsonify(status="ok")


class RefusesWrites(OSError):
    """It answers, and nothing can be kept."""


def probe_database() -> None:
    begin_reading()
    db.session.execute(sa.text("SELECT 1"))
    if not dialect.takes_writes(db.session()):
        raise RefusesWrites


def probe_redis() -> None:
    bell.probe(current_app.extensions["bell"])


def probe_storage() -> None:
    current_portal().storage.probe()


PROBES: dict[str, tuple[str, Callable[[], None]]] = {
    "database": ("数据库", probe_database),
    "redis": ("Redis", probe_redis),
    "storage": ("文件存储", probe_storage),
}


class Readiness:
    """What did not answer at the last look, which everybody is told for a moment.

    A look puts a file and rings a bell, and anybody may ask.
    """

    def __init__(self) -> None:
        self._looking, self._looked_at = Lock(), -inf
        self._failing: list[str] = []

    def failing(self) -> list[str]:
        """The names of what does not answer."""
        with self._looking:
            if monotonic() - self._looked_at > LOOK_SECONDS:
                self._failing, self._looked_at = failing(), monotonic()
            return self._failing


def failing() -> list[str]:
    """The names of what does not answer now."""
    names = []
    for name, (_, probe) in PROBES.items():
        try:
            probe()
        except (SQLAlchemyError, RedisError, Unreadable, OSError) as error:
            # The text may hold an address with a password: only its type is written down.
            log.warning("not_ready", part=name, error=type(error).__name__)
            names.append(name)
    return names


@blueprint.get("/readyz")
@public
def readyz() -> Response:
    """Whether database, Redis and storage do their work; 503 names those that do not."""
    names = current_app.extensions["readiness"].failing()
    if names:
        labels = "、".join(PROBES[name][0] for name in names)
        return problem(
            503, "系统未就绪", f"{labels}没有应答或不能写入。", "not-ready", failing=names
        )
    return jsonify(status="ok", **dict.fromkeys(PROBES, "ok"))


class Meters:
    """Counters of this process's requests and gauges of the ledger, by endpoint, never by path."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "portal_requests", "Requests", ("endpoint", "method", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "portal_request_seconds", "Time to answer", ("endpoint",), registry=self.registry
        )
        self.jobs = Gauge("portal_jobs", "Jobs by state", ("state",), registry=self.registry)
        self.oldest = Gauge(
            "portal_oldest_job_seconds", "Age of the oldest waiting job", registry=self.registry
        )
        self.queue = Gauge("portal_queue_length", "Jobs that wait", registry=self.registry)
        self.rate = Gauge("portal_rows_per_second", "Rows a second of late", registry=self.registry)
        self.failures = Gauge("portal_job_failures", "Jobs given up", registry=self.registry)

        self.refused_keys = Counter(
            "portal_refused_keys", "Keys refused", ("code",), registry=self.registry
        )

    def observe(self, response: Response) -> Response:
        endpoint = request.endpoint or "none"
        self.requests.labels(endpoint, request.method, response.status_code).inc()
        if "began" in g:
            self.seconds.labels(endpoint).observe(perf_counter() - g.began)
        return response

    def read_ledger(self) -> None:
        begin_reading()
        found = figures(db.session(), current_portal().clock())
        for state, number in found.by_state.items():
            self.jobs.labels(state).set(number)
        self.queue.set(found.by_state["queued"])
        self.oldest.set(found.oldest_waiting_seconds)
        self.rate.set(found.rows_per_second)
        self.failures.set(found.failures)


def from_this_machine() -> bool:
    """Whether the request was made here and not handed on by a proxy for somebody else."""
    handed_on = {"X-Forwarded-For", "Forwarded", "X-Real-Ip"} & set(request.headers.keys())
    try:
        return not handed_on and ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


@blueprint.get("/metrics")
@public
def metrics() -> Response:
    """For a collector on this machine; to others the address does not exist."""
    if not from_this_machine():
        abort(404)
    meters: Meters = current_app.extensions["meters"]
    meters.read_ledger()
    return Response(generate_latest(meters.registry), content_type=CONTENT_TYPE_LATEST)


def register(app: Flask) -> None:
    app.extensions["readiness"] = Readiness()
    meters = app.extensions["meters"] = Meters()

    @app.before_request
    def begin() -> None:
        g.began = perf_counter()

    app.after_request(meters.observe)
