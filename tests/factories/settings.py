"""Cases in the offices' hands, made directly in the state a test begins with."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from school_portal.domain.levels import TrainingLevel
from school_portal.domain.specialty_evaluation import EvaluationState
from school_portal.models import (
    Expert,
    Panel,
    PanelMember,
    School,
    SpecialtyEvaluation,
    User,
)
from school_portal.services.portal import Portal


def evaluation(
    session: Session,
    portal: Portal,
    school: School,
    state: EvaluationState,
    number: str,
    *,
    level: TrainingLevel = TrainingLevel.SECONDARY,
    **more: Any,
) -> SpecialtyEvaluation:
    """An application for evaluation in that state."""
    now = portal.clock()
    made = SpecialtyEvaluation(
        school_id=school.id,
        training_level=level,
        state=state,
        number=number,
        created_at=now,
        saved_at=now,
        arrived_at=None if state is EvaluationState.DRAFT else now,
        **more,
    )
    session.add(made)
    session.flush()
    return made


def panel(
    session: Session,
    portal: Portal,
    case: SpecialtyEvaluation,
    experts: Iterable[User],
    due_on: date | None = None,
) -> Panel:
    """A panel of those people, each made an expert where they are none."""
    made = Panel(evaluation_id=case.id, convened_at=portal.clock(), due_on=due_on)
    session.add(made)
    session.flush()
    for person in experts:
        expert = session.query(Expert).filter_by(user_id=person.id).one_or_none()
        if expert is None:
            expert = Expert(user_id=person.id, employer="示例研究所")
            session.add(expert)
            session.flush()
        session.add(PanelMember(panel_id=made.id, expert_id=expert.id))
    session.flush()
    session.refresh(made)
    return made
