"""When an office receives: April and October, and what it opened beyond (rulebook 3)."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.levels import TrainingLevel
from school_portal.domain.specialty_evaluation import RECEIVERS
from school_portal.domain.windows import Period, Window, specialty_window
from school_portal.domain.workflow import Role
from school_portal.models import ExtraWindow, School


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


def windows_of(
    session: Session, instant: datetime, role: Role, school: School | None
) -> list[tuple[TrainingLevel, Window]]:
    """What a home page shows: the window of each training level that concerns its reader.

    A school's own levels with its own extra days, a receiving office's level, else both.
    """
    if school is not None:
        levels = [one for one in TrainingLevel if one in school.levels]
    else:
        levels = [one for one in TrainingLevel if RECEIVERS[one] is role] or list(TrainingLevel)
    school_id = school.id if school else None
    return [(level, window_at(session, instant, level, school_id)) for level in levels]
