"""A roster's two jobs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy.orm import Session

from school_portal.jobs import Claim
from school_portal.services import rosters
from school_portal.services.portal import Portal


def check(session: Session, claim: Claim, portal: Portal) -> dict[str, Any]:
    """Read the file and stage its rows."""
    roster_id = _subject(session, claim, portal)
    _step(session, claim, portal, rosters.read(session, portal, roster_id), "reading")
    return {}


def apply(session: Session, claim: Claim, portal: Portal) -> dict[str, Any]:
    """Merge the staged rows into the students."""
    roster_id = _subject(session, claim, portal)
    _step(session, claim, portal, rosters.save(session, portal, roster_id), "saving")
    return {}


def _subject(session: Session, claim: Claim, portal: Portal) -> int:
    subject = claim.begin(session, portal.clock())
    session.commit()
    return subject


def _step(
    session: Session,
    claim: Claim,
    portal: Portal,
    steps: Iterable[rosters.Checked],
    stage: str,
) -> None:
    for step in steps:
        claim.checkpoint(session, portal.clock(), stage=stage, done=step.done, total=step.total)
        session.commit()
