"""Everything sealed anew under the newest key."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from school_portal.jobs import Claim
from school_portal.models import Job
from school_portal.services import keys
from school_portal.services.portal import Portal


def rotate(session: Session, claim: Claim, portal: Portal) -> dict[str, Any]:
    """Seal anew what is under an older key; answers how much is under which."""
    key_id = session.get_one(Job, claim.job_id).options["key_id"]
    for step in keys.reseal(session, portal, key_id):
        claim.checkpoint(session, stage="resealing", done=step.done, total=step.total)
        session.commit()
    return keys.status(session, portal)
