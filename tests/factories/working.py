"""A worker's turn at a roster's job."""

from __future__ import annotations

from sqlalchemy.orm import Session

from batch import run
from school_portal.models import Job, Roster
from school_portal.services import rosters
from school_portal.services.portal import Portal


def worked(session: Session, portal: Portal, roster: Roster) -> Job:
    """The roster's job that waited, after it; nothing is left open in the session."""
    job = rosters.active_job(session, roster)
    assert job is not None
    session.commit()
    run.execute(portal, job.id, "worker")
    session.commit()
    session.refresh(job)
    session.refresh(roster)
    session.commit()
    return job
