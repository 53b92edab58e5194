"""Files that are kept no longer, and files without a row."""

from __future__ import annotations

from sqlalchemy.orm import Session

from school_portal.extensions import db
from school_portal.jobs import Claim
from school_portal.services import retention, stored_files
from school_portal.services.portal import Portal


def tidy(session: Session, claim: Claim, portal: Portal) -> dict[str, int]:
    """Remove both; answers how many of the latter."""
    retention.expire(session, portal)
    session.commit()
    with Session(db.engine) as reading:
        return {"swept": stored_files.sweep(reading, portal)}
