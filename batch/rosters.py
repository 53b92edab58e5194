"""A roster's two jobs."""

from __future__ import annotations

from contextlib import closing
from typing import Any, cast

from sqlalchemy.orm import Session

from school_portal.jobs import Claim
from school_portal.services import rosters, saving
from school_portal.services.portal import Portal


def check(session: Session, claim: Claim, portal: Portal) -> None:
    """Read the file and stage its rows."""
    steps = rosters.read(session, portal, claim.subject_id)
    # Closed at once when the job must stop: the file's reader is another process.
    with closing(cast(Any, steps)):
        for step in steps:
            claim.checkpoint(session, stage="reading", done=step.done, total=step.total)
            session.commit()


def apply(session: Session, claim: Claim, portal: Portal) -> None:
    """Merge the staged rows into the students."""
    saving.save(session, portal, claim.subject_id)
