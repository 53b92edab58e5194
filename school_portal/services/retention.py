"""Personal data that is kept no longer: rosters' files and findings, notices (**policy**)."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from school_portal.domain.roster import ROSTER_WORKFLOW, RosterAction, RosterState
from school_portal.domain.windows import months_before
from school_portal.domain.workflow import Role
from school_portal.logs import described
from school_portal.models import Notice, Roster
from school_portal.security import audit
from school_portal.services import merging, policies
from school_portal.services.access import hold
from school_portal.services.portal import Portal
from school_portal.services.transitions import apply

log = structlog.get_logger()

BATCH = 20  # rosters in one transaction
FINISHED = (RosterState.APPLIED, RosterState.FAILED, RosterState.DISCARDED, RosterState.UNDONE)
# For the school, or for a worker who never finished.
WAITING = tuple(state for state in RosterState if state not in FINISHED)


def expire(session: Session, portal: Portal) -> None:
    """Remove what the settings keep no longer; the caller commits.

    Of a roster remain who uploaded what when, and its moves; the saved students are not touched.
    One that was never saved is given up first. Begun again, it goes on where it stopped.
    """
    policy, now = policies.current(session), portal.clock()
    before = sa.literal(months_before(now, policy.notice_months), Notice.at.type)
    session.execute(sa.delete(Notice).where(Notice.at < before))
    for roster in _rosters(session, months_before(now, policy.roster_months)):
        try:
            with session.begin_nested():
                _expire(session, portal, roster, now)
        except Exception as error:  # the storage's too, of whatever kind it is
            log.error("roster.not_expired", roster=roster.id, **described(error))


def _expire(session: Session, portal: Portal, roster: Roster, now: datetime) -> None:
    hold(session, roster)
    if roster.state in WAITING:
        apply(session, ROSTER_WORKFLOW, roster, RosterAction.DISCARD, Role.SCHOOL, at=now)
    merging.clear(session, roster)
    roster.expired_at = now
    audit.record(session, "system", "roster.expire", roster.subject, at=now)
    session.flush()
    portal.storage.delete(roster.storage_key)


def _rosters(session: Session, before: datetime) -> list[Roster]:
    found = (
        sa.select(Roster)
        .where(
            Roster.expired_at.is_(None),
            Roster.uploaded_at < sa.literal(before, Roster.uploaded_at.type),
        )
        # In no order: those that cannot be removed must not stand before the others for ever.
        .order_by(sa.func.random())
        .limit(BATCH)
    )
    return list(session.scalars(found))
