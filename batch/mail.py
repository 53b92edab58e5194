"""Notices sent by e-mail."""

from __future__ import annotations

from sqlalchemy.orm import Session

from school_portal.jobs import Claim
from school_portal.services import mail
from school_portal.services.portal import Portal


def send(session: Session, claim: Claim, portal: Portal) -> None:
    """Send what waits; each mail's mark is committed before it leaves."""
    for done in mail.send(session, portal):
        claim.checkpoint(session, stage="mailing", done=done)
        session.commit()
