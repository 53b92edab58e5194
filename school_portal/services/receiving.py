"""The offices at applications for specialty evaluation: what they see, receive and return.

Rulebook 1 and 5, 2: the teaching office has the secondary ones, the vocational division the
higher ones, the centre both; what a school has not handed in nobody sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session, contains_eager, joinedload

from school_portal.domain.levels import TrainingLevel
from school_portal.domain.specialty_evaluation import (
    ANNEX_FIELDS,
    EVALUATION_WORKFLOW,
    RECEIVERS,
    EvaluationAction,
    EvaluationState,
)
from school_portal.domain.texts import trimmed
from school_portal.domain.windows import civil_date
from school_portal.domain.workdays import YearNotLoaded
from school_portal.domain.workflow import Role
from school_portal.models import Panel, School, SpecialtyEvaluation
from school_portal.services import policies, transitions
from school_portal.services.access import Actor, NotFound, Refused
from school_portal.services.calendars import calendar
from school_portal.services.portal import Portal

Query = sa.Select[SpecialtyEvaluation]


@dataclass(frozen=True, slots=True)
class Unlocked:
    """What a returned application may change: fields by name, line ids, specialty ids."""

    fields: frozenset[str] = frozenset()
    lines: frozenset[int] = frozenset()
    programmes: frozenset[int] = frozenset()
    add_lines: bool = False

    def __bool__(self) -> bool:
        return bool(self.fields or self.lines or self.programmes or self.add_lines)


def training_levels(actor: Actor) -> list[TrainingLevel]:
    """Whose applications the actor sees: of no level for whoever is no office."""
    if actor.role is Role.CENTRE:
        return list(TrainingLevel)
    return [level for level, role in RECEIVERS.items() if role is actor.role]


def visible(actor: Actor) -> Query:
    """The applications that were handed in to the actor's office; every page starts here."""
    return sa.select(SpecialtyEvaluation).where(
        SpecialtyEvaluation.training_level.in_(training_levels(actor)),
        SpecialtyEvaluation.state != EvaluationState.DRAFT,
        SpecialtyEvaluation.arrived_at.is_not(None),
    )


def one(session: Session, actor: Actor, evaluation_id: int) -> SpecialtyEvaluation:
    """The application if the actor's office sees it. Raises NotFound."""
    found = session.scalar(visible(actor).where(SpecialtyEvaluation.id == evaluation_id))
    if found is None:
        raise NotFound("SpecialtyEvaluation")
    return found


def counts(session: Session, actor: Actor) -> dict[EvaluationState, int]:
    """How many applications the actor's office has in each state."""
    ids = visible(actor).with_only_columns(SpecialtyEvaluation.id)
    found = session.execute(
        sa.select(SpecialtyEvaluation.state, sa.func.count())
        .where(SpecialtyEvaluation.id.in_(ids))
        .group_by(SpecialtyEvaluation.state)
    )
    return {row.state: row[1] for row in found}


def matching(actor: Actor, state: EvaluationState | None, text: str) -> Query:
    """The visible applications in the state, by a part of the school's name or of the number."""
    query = visible(actor).join(SpecialtyEvaluation.school)
    if state is not None:
        query = query.where(SpecialtyEvaluation.state == state)
    if text:
        query = query.where(
            School.name.contains(text, autoescape=True)
            | SpecialtyEvaluation.number.contains(text, autoescape=True)
        )
    return query


def count(session: Session, query: Query) -> int:
    """How many applications a query finds."""
    return session.scalar(query.with_only_columns(sa.func.count(SpecialtyEvaluation.id))) or 0


def page(
    session: Session, query: Query, *, limit: int, offset: int
) -> Sequence[SpecialtyEvaluation]:
    """What is still open first: by the nearest date to keep, then by arrival."""
    state, order = (
        SpecialtyEvaluation.state,
        (SpecialtyEvaluation.arrived_at, SpecialtyEvaluation.id),
    )
    closed = [one for one in EvaluationState if EVALUATION_WORKFLOW.is_final(one)]
    due = sa.case(
        (state == EvaluationState.RETURNED, SpecialtyEvaluation.correction_until),
        (state == EvaluationState.UNDER_PANEL_REVIEW, Panel.due_on),
    )
    return session.scalars(
        query.outerjoin(SpecialtyEvaluation.panel)
        .options(joinedload(SpecialtyEvaluation.school), contains_eager(SpecialtyEvaluation.panel))
        .order_by(state.in_(closed), due.is_(None), due, *order)
        .limit(limit)
        .offset(offset)
    ).all()


def due_on(evaluation: SpecialtyEvaluation) -> date | None:
    """The day by which whoever has the application is done with it; None where no rule has one."""
    if evaluation.state is EvaluationState.RETURNED:
        return evaluation.correction_until
    if evaluation.state is EvaluationState.UNDER_PANEL_REVIEW and evaluation.panel:
        return evaluation.panel.due_on
    return None


def accept(session: Session, portal: Portal, actor: Actor, evaluation: SpecialtyEvaluation) -> None:
    """受理. Raises NotFound for another office's, Refused."""
    _decide(session, portal, actor, evaluation, EvaluationAction.ACCEPT)


def refuse(
    session: Session, portal: Portal, actor: Actor, evaluation: SpecialtyEvaluation, reason: str
) -> None:
    """不予受理, with reasons. Raises NotFound for another office's, Refused."""
    _decide(session, portal, actor, evaluation, EvaluationAction.REFUSE, given(reason))


def return_for_correction(
    session: Session,
    portal: Portal,
    actor: Actor,
    evaluation: SpecialtyEvaluation,
    unlocked: Unlocked,
    reason: str,
    until: date | None = None,
) -> None:
    """退回补正: only what is named unlocks, until the day given or the policy's.

    Raises NotFound for another office's, Refused: nothing named, no reasons, a day that is past,
    no day given where the calendar's year is not loaded.
    """
    if not unlocked:
        raise Refused("请至少勾选一处需要补正的内容。")
    _check_parts(evaluation, unlocked)
    reason, today = given(reason), civil_date(portal.clock())
    until = until or default_date(session, today)
    if until is None:
        raise Refused("办理期限跨入的年份尚未载入工作日历，无法推算补正期限，请直接填写日期。")
    if until < today:
        raise Refused(f"补正期限 {until} 早于今天 {today}，请填写今天或以后的日期。")
    evaluation.unlocked = {
        "fields": [name for name in ANNEX_FIELDS if name in unlocked.fields],
        "lines": sorted(unlocked.lines),
        "programmes": sorted(unlocked.programmes),
        "add_lines": unlocked.add_lines,
    }
    evaluation.correction_until = until
    _decide(
        session,
        portal,
        actor,
        evaluation,
        EvaluationAction.RETURN,
        reason,
        until=until.isoformat(),
    )


def default_date(session: Session, today: date) -> date | None:
    """The last of the policy's working days after today; None where its year is not loaded."""
    try:
        return calendar(session).add_workdays(today, policies.current(session).correction_workdays)
    except YearNotLoaded:
        return None


def given(reason: str) -> str:
    """The reason as it was written. Raises Refused where there is none."""
    if not trimmed(reason):
        raise Refused("请写明理由。")
    return trimmed(reason)


def _check_parts(evaluation: SpecialtyEvaluation, unlocked: Unlocked) -> None:
    lines = {line.id for line in evaluation.lines}
    specialties = {line.specialty_id for line in evaluation.lines}
    if (
        unlocked.fields - ANNEX_FIELDS.keys()
        or unlocked.lines - lines
        or unlocked.programmes - specialties
    ):
        raise NotFound("a part of the application")


def _decide(
    session: Session,
    portal: Portal,
    actor: Actor,
    evaluation: SpecialtyEvaluation,
    action: EvaluationAction,
    reason: str = "",
    **detail: str,
) -> None:
    role = role_at(actor, evaluation)
    transitions.apply(
        session,
        EVALUATION_WORKFLOW,
        evaluation,
        action,
        role,
        actor=actor,
        at=portal.clock(),
        reason=reason,
        **detail,
    )


def role_at(actor: Actor, evaluation: SpecialtyEvaluation) -> Role:
    """The actor's role at the application. Raises NotFound where the office does not see it."""
    if actor.role is None or evaluation.training_level not in training_levels(actor):
        raise NotFound("SpecialtyEvaluation")
    return actor.role
