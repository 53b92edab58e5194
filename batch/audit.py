"""The audit chain walked from its beginning to its end."""

from __future__ import annotations

from itertools import islice
from typing import Any

from sqlalchemy.orm import Session

from school_portal.extensions import db
from school_portal.jobs import Claim
from school_portal.models import dialect
from school_portal.security import audit
from school_portal.services import audit_trail
from school_portal.services.portal import Portal

MOST_TOLD = 50  # findings: one harm may break every link behind it


def verify(session: Session, claim: Claim, portal: Portal) -> dict[str, Any]:
    """Walk one state of the chain beside whoever writes; answers what is wrong, and up to where."""
    with Session(db.engine) as reading:
        dialect.read_only(reading)
        through = audit_trail.newest(reading)
        found = list(islice(audit.verify(reading), MOST_TOLD))
    return {"through": through, "findings": [each.message for each in found]}
