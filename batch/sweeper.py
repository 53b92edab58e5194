"""Finishes what stalled: leases that ran out, bells that nobody heard; mail, reminders, retention.

It runs in the waiting worker itself, every few seconds: whoever waits for the bell is the one who
could take what was missed, and there is no further process to watch over.
"""

from __future__ import annotations

import os
from datetime import timedelta

import structlog
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from school_portal import bell, jobs
from school_portal.extensions import db
from school_portal.models import dialect
from school_portal.services import audit_retention, clocks, mail, reminders, retention, sealing
from school_portal.services.portal import Portal

log = structlog.get_logger()

SWEEP_SECONDS = float(os.environ.get("SCHOOL_PORTAL_SWEEP_SECONDS", "3"))


def sweep(portal: Portal, connection: Redis) -> None:
    """One round; a database or a Redis that is away is left to the next."""
    try:
        _requeue()
        queue_mail(portal)
        _ring_again(connection)
    except (DBAPIError, RedisError) as error:
        log.warning("sweep.failed", error=type(error).__name__)


def tidy(portal: Portal) -> None:
    """Now and then: the clock, days that passed, reminders, what is kept no longer.

    A failure waits for the next time.
    """
    try:
        tell_of_the_clock(portal)
        with Session(db.engine) as session, session.begin():
            sealing.expire(session, portal)
            reminders.remind(session, portal)
    except DBAPIError as error:
        log.warning("tidy.failed", error=type(error).__name__)
    for step in (retention.expire, audit_retention.retire):
        try:
            with Session(db.engine) as session, session.begin():
                step(session, portal)
        except Exception as error:  # the storage's too, of whatever kind it is
            log.warning("retention.failed", step=step.__name__, error=type(error).__name__)


def tell_of_the_clock(portal: Portal) -> None:
    """Say in the log that this machine's clock is apart from the database's."""
    with Session(db.engine) as session:
        dialect.read_only(session)
        ahead = clocks.seconds_ahead(session, portal)
    if abs(ahead) > clocks.TOLERATED_SECONDS:
        log.warning("clock.apart", seconds_ahead=round(ahead))


def queue_mail(portal: Portal) -> None:
    """Have sent what waits: notices are made by the web, and by the reminders."""
    if portal.settings.mail is None:
        return
    with Session(db.engine) as session:
        dialect.read_only(session)
        if not mail.is_waiting(session, portal.clock()):
            return
    with Session(db.engine) as session, session.begin():
        mail.enqueue(session, portal)


def _requeue() -> None:
    with Session(db.engine) as session:
        dialect.read_only(session)  # most rounds find nothing and need not write
        found = jobs.stalled(session)
    if found:
        with Session(db.engine) as session, session.begin():
            jobs.requeue_stalled(session)
        log.warning("jobs.requeued", jobs=found)


def _ring_again(connection: Redis) -> None:
    with Session(db.engine) as session:
        dialect.read_only(session)
        found = jobs.unheard(session, timedelta(seconds=SWEEP_SECONDS))
    if not found:
        return
    there = bell.rung(connection)
    waiting = [job_id for job_id in found if job_id not in there]
    if waiting and bell.ring(connection, waiting):
        with Session(db.engine) as session, session.begin():
            jobs.note_rung(session, waiting)
        log.info("bells.rung", jobs=waiting)
