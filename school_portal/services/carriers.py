"""Which bodies carry which projects on a day (rulebook 4, `SCOPE`)."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from school_portal.domain.projects import Project
from school_portal.models import Body, BodyProject
from school_portal.services.public_register import Force, force


def carriers(session: Session, on: date) -> dict[Project, list[Body]]:
    """The bodies whose filing is in force and carries the project, by name."""
    found: dict[Project, list[Body]] = defaultdict(list)
    for carried in session.scalars(
        sa.select(BodyProject)
        .join(Body)
        .options(joinedload(BodyProject.body))
        .order_by(Body.name, Body.id)
    ):
        if force(carried.body, on) is Force.IN_FORCE:
            found[carried.project].append(carried.body)
    return found
