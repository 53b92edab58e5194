"""When an office receives: April and October, and what it opened beyond (rulebook 3)."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.levels import TrainingLevel
from school_portal.domain.specialty_evaluation import RECEIVERS
from school_portal.domain.windows import Period, Window, specialty_window
from school_portal.models import ExtraWindow


def window_at(
    session: Session, instant: datetime, training_level: TrainingLevel, school_id: int | None
) -> Window:
    """The window in which that school's applications of the level are judged at the instant."""
    found = session.scalars(
        sa.select(ExtraWindow).where(
            ExtraWindow.role == RECEIVERS[training_level],
            ExtraWindow.ended_at.is_(None),
            sa.or_(ExtraWindow.school_id.is_(None), ExtraWindow.school_id == school_id),
        )
    )
    return specialty_window(instant, [Period(one.starts_on, one.ends_on) for one in found])
