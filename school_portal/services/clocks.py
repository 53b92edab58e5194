"""This machine's clock beside the database's."""

from __future__ import annotations

from sqlalchemy.orm import Session

from school_portal.models import dialect
from school_portal.services.portal import Portal

TOLERATED_SECONDS = 5.0  # apart, until it is told


def seconds_ahead(session: Session, portal: Portal) -> float:
    """How far our clock is ahead of the database's; less than 0 where it is behind."""
    theirs = dialect.now(session)  # first: a transaction that begins may wait
    return (portal.clock() - theirs).total_seconds()
