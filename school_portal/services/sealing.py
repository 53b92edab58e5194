"""Seals on a panel's opinion form, and what becomes of a line afterwards (rulebook 5, 4 and 5)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, contains_eager

from school_portal.domain.specialty_evaluation import (
    EVALUATION_WORKFLOW,
    LINE_WORKFLOW,
    SEALS,
    EvaluationAction,
    LineAction,
    LineState,
    clause,
    missing_seals,
)
from school_portal.domain.windows import TZ, civil_date
from school_portal.domain.workflow import Role
from school_portal.models import EvaluationLine, School, Seal, Specialty, SpecialtyEvaluation
from school_portal.services import access, receiving, transitions
from school_portal.services.access import Actor, NotFound, Refused
from school_portal.services.portal import Portal

LineQuery = sa.Select[EvaluationLine]


def seal(session: Session, portal: Portal, actor: Actor, evaluation: SpecialtyEvaluation) -> bool:
    """The office's seal; with the last one the approved lines take effect that day.

    Answers whether it was the last. Raises NotFound for another office's, Refused where the
    training level asks for no seal of this office, or has it.
    """
    role = receiving.role_at(actor, evaluation)
    access.hold(session, evaluation)
    level, now = evaluation.training_level, portal.clock()
    if role not in SEALS[level]:
        wanted = "、".join(sorted(one.label for one in SEALS[level]))
        raise Refused(
            f"{level.label}的专家组评估意见表由{wanted}盖章，{role.label}不在其内"
            f"（依据：{clause(level, '一3')}）。"
        )
    _refuse_second(evaluation, role)
    transitions.apply(
        session, EVALUATION_WORKFLOW, evaluation, EvaluationAction.SEAL, role, actor=actor, at=now
    )
    evaluation.seals.append(Seal(role=role, affixed_at=now, affixed_by_id=actor.user_id))
    if missing_seals(level, (one.role for one in evaluation.seals)):
        return False
    transitions.apply(
        session, EVALUATION_WORKFLOW, evaluation, EvaluationAction.COMPLETE, Role.SYSTEM, at=now
    )
    for line in evaluation.lines:
        if line.state is LineState.APPROVED:
            line.starts_on = civil_date(now)
    return True


def _refuse_second(evaluation: SpecialtyEvaluation, role: Role) -> None:
    for found in evaluation.seals:
        if found.role is role:
            who = f"的{found.affixed_by.name}" if found.affixed_by else ""
            raise Refused(
                f"{role.label}{who}已于 {found.affixed_at.astimezone(TZ):%Y-%m-%d %H:%M} 盖章，"
                "不用再盖。请刷新页面查看最新状态。"
            )


def visible_lines(actor: Actor, text: str = "") -> LineQuery:
    """The lines that took effect, of the actor's training levels; by the school or occupation."""
    query = (
        sa.select(EvaluationLine)
        .join(EvaluationLine.specialty)
        .join(Specialty.school)
        .where(
            EvaluationLine.took_effect(),
            Specialty.training_level.in_(receiving.training_levels(actor)),
        )
    )
    if text:
        query = query.where(
            School.name.contains(text, autoescape=True)
            | EvaluationLine.occupation.contains(text, autoescape=True)
        )
    return query


def count_lines(session: Session, query: LineQuery) -> int:
    """How many lines a query finds."""
    return session.scalar(query.with_only_columns(sa.func.count(EvaluationLine.id))) or 0


def page_of_lines(
    session: Session, query: LineQuery, *, limit: int, offset: int
) -> Sequence[EvaluationLine]:
    """By school, specialty and project."""
    return session.scalars(
        query.options(contains_eager(EvaluationLine.specialty).contains_eager(Specialty.school))
        .order_by(
            School.name,
            Specialty.code,
            EvaluationLine.occupation_code,
            EvaluationLine.direction,
            EvaluationLine.level,
            EvaluationLine.id,
        )
        .limit(limit)
        .offset(offset)
    ).all()


def line(session: Session, actor: Actor, line_id: int) -> EvaluationLine:
    """The line if it took effect and the actor's office sees it. Raises NotFound."""
    found = session.scalar(visible_lines(actor).where(EvaluationLine.id == line_id))
    if found is None:
        raise NotFound("EvaluationLine")
    return found


def set_end(
    session: Session,
    portal: Portal,
    actor: Actor,
    line: EvaluationLine,
    ends_on: date,
    reason: str,
) -> None:
    """The line's last day, today at the earliest. Raises NotFound, Refused."""
    today = portal.today()
    if ends_on < max(today, line.starts_on or today):
        raise Refused(f"失效日期 {ends_on} 早于今天或生效日期，请改填；立即停用请撤销。")
    _move(session, portal, actor, line, LineAction.SET_END, reason, ends_on=ends_on.isoformat())
    line.ends_on = ends_on


def revoke(
    session: Session, portal: Portal, actor: Actor, line: EvaluationLine, reason: str
) -> None:
    """The line is not in force from today on. Raises NotFound, Refused."""
    _move(session, portal, actor, line, LineAction.REVOKE, reason)
    yesterday = portal.today() - timedelta(days=1)
    line.ends_on = min(line.ends_on or yesterday, yesterday)


def expire(session: Session, portal: Portal) -> None:
    """Record of every line whose last day has passed that it has expired (rulebook 5, 5)."""
    for line in session.scalars(
        sa.select(EvaluationLine).where(
            EvaluationLine.took_effect(),
            EvaluationLine.state == LineState.APPROVED,
            EvaluationLine.ends_on < portal.today(),
        )
    ).all():
        transitions.apply(
            session, LINE_WORKFLOW, line, LineAction.EXPIRE, Role.SYSTEM, at=portal.clock()
        )


def _move(
    session: Session,
    portal: Portal,
    actor: Actor,
    line: EvaluationLine,
    action: LineAction,
    reason: str,
    **detail: str,
) -> None:
    level = line.specialty.training_level
    if actor.role is None or level not in receiving.training_levels(actor):
        raise NotFound("EvaluationLine")
    if line.evaluation_id is not None and line.starts_on is None:
        raise Refused("这一项还没有盖章生效，不能撤销，也没有失效日期可设。")
    transitions.apply(
        session,
        LINE_WORKFLOW,
        line,
        action,
        actor.role,
        actor=actor,
        at=portal.clock(),
        reason=receiving.given(reason),
        **detail,
    )
