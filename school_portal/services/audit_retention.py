"""Audit events whose time is over: the oldest go, the chain stays whole (rulebook 11)."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from school_portal.domain.windows import months_before
from school_portal.models import AuditEvent
from school_portal.security import audit
from school_portal.services import policies
from school_portal.services.portal import Portal

log = structlog.get_logger()

MOST = 20_000  # events removed in one transaction: others append meanwhile


def retire(session: Session, portal: Portal) -> int:
    """Remove the oldest events whose time is over; how many went.

    Only a whole beginning of the chain goes, and only one that is sound: an event of the chain
    says up to where, with that event's hash, and `audit verify` begins there. Where somebody
    changed what is old, nothing goes, and the log says so.
    """
    now = portal.clock()
    before = months_before(now, policies.current(session).audit_months)
    first, _ = audit.start_of(session)
    through = _through(session, first, before)
    if through <= first:
        return 0
    broken = next(audit.verify_prefix(session, through), None)
    if broken is not None:
        log.error("audit.not_retired", seq=broken.seq)
        return 0
    digest = session.scalars(sa.select(AuditEvent.digest).where(AuditEvent.seq == through)).one()
    session.execute(sa.delete(AuditEvent).where(AuditEvent.seq <= through))
    audit.record(
        session,
        "system",
        audit.RETIRE,
        f"audit:{through}",
        at=now,
        through=through,
        digest=bytes(digest).hex(),
        before=before.isoformat(),
    )
    return through - first


def _through(session: Session, first: int, before: datetime) -> int:
    """The last event of the beginning in which all are older than `before`, at most MOST."""
    last = session.scalar(sa.select(sa.func.max(AuditEvent.seq))) or first
    kept = session.scalar(
        sa.select(sa.func.min(AuditEvent.seq)).where(
            AuditEvent.seq > first,
            AuditEvent.seq <= first + MOST,
            AuditEvent.at >= sa.literal(before, AuditEvent.at.type),
        )
    )
    return min(last, first + MOST) if kept is None else kept - 1
