"""Group applications made by a worker."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from school_portal.jobs import Claim
from school_portal.models import Job
from school_portal.services import applications
from school_portal.services.portal import Portal


def generate(session: Session, claim: Claim, portal: Portal) -> dict[str, Any]:
    """Make what the plan shows; answers the contract's document."""
    return applications.generate(session, portal, session.get_one(Job, claim.job_id))
