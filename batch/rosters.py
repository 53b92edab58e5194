"""A roster's two jobs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any, cast

from sqlalchemy.orm import Session

from school_portal.jobs import Claim
from school_portal.services import rosters
from school_portal.services.checking import Checked
from school_portal.services.portal import Portal


def check(session: Session, claim: Claim, portal: Portal) -> None:
    """Read the file and stage its rows."""
    _step(session, claim, portal, rosters.read(session, portal, claim.subject_id), "reading")


def apply(session: Session, claim: Claim, portal: Portal) -> None:
    """Merge the staged rows into the students."""
    _step(session, claim, portal, rosters.save(session, portal, claim.subject_id), "saving")


def _step(
    session: Session,
    claim: Claim,
    portal: Portal,
    steps: Iterator[Checked],
    stage: str,
) -> None:
    # Closed at once when the job must stop: the file's reader is another process.
    with closing(cast(Any, steps)):
        for step in steps:
            claim.checkpoint(session, stage=stage, done=step.done, total=step.total)
            session.commit()
