"""Finishes what stalled: leases that ran out, bells that nobody heard; mail, reminders, retention.

It runs in the waiting worker itself, every few seconds: whoever waits for the bell is the one who
could take what was missed, and there is no further process to watch over.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

import structlog
from redis import Redis
from sqlalchemy.orm import Session

from school_portal import bell, jobs
from school_portal.extensions import db
from school_portal.logs import described
from school_portal.models import dialect
from school_portal.services import audit_retention, clocks, mail, reminders, sealing
from school_portal.services.portal import Portal

log = structlog.get_logger()

TIDYING = (sealing.expire, reminders.remind, audit_retention.retire)
FILES = "files-tidy"
SWEEP_SECONDS = float(os.environ.get("SCHOOL_PORTAL_SWEEP_SECONDS", "3"))
FILES_SECONDS = 3600


def sweep(portal: Portal, connection: Redis) -> None:
    """One round; a step that fails is left to the next, and holds up no other."""
    _take(_requeue)
    _take(queue_mail, portal)
    _take(_ring_again, connection)


def tidy(portal: Portal, connection: Redis) -> None:
    """Now and then: the clock, days that passed, reminders, what is kept no longer; as `sweep`."""
    _take(tell_of_the_clock, portal)
    for step in TIDYING:
        _take(_committed(step), portal)
    _take(_queue_files, portal, connection)


def _take(step: Callable[..., None], *given: Any) -> None:
    """A step, whatever fails in it: RQ would end its loop, and with it all jobs."""
    try:
        step(*given)
    except Exception as error:
        log.warning("sweep.failed", step=step.__name__, **described(error))


def _committed(step: Callable[[Session, Portal], object]) -> Callable[[Portal], None]:
    @wraps(step)
    def committed(portal: Portal) -> None:
        with Session(db.engine) as session, session.begin():
            step(session, portal)

    return committed


def _queue_files(portal: Portal, connection: Redis) -> None:
    """Once an hour, by whichever worker is first: to list a large storage takes a while.

    In a work-horse: a process that has used the storage must not be forked.
    """
    if not bell.is_first(connection, FILES, FILES_SECONDS):
        return
    with Session(db.engine) as session, session.begin():
        if not jobs.is_waiting(session, FILES):
            jobs.enqueue(
                session,
                FILES,
                subject_id=None,
                school_id=None,
                options={},
                actor_id=None,
                now=portal.clock(),
            )


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
