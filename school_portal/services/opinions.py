"""Experts' opinions: each on every line, unseen by the others until all are in (rulebook 5, 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.specialty_evaluation import (
    EVALUATION_WORKFLOW,
    LINE_WORKFLOW,
    EvaluationAction,
    EvaluationState,
    LineAction,
    majority,
)
from school_portal.domain.texts import trimmed
from school_portal.domain.workflow import Role
from school_portal.models import Expert, ExpertOpinion, Panel, PanelMember, SpecialtyEvaluation
from school_portal.models.organisations import EvaluationLine
from school_portal.security import audit
from school_portal.services import access, panels, transitions
from school_portal.services.access import Actor, NotFound, Refused
from school_portal.services.portal import Portal

Opinions = Mapping[int, tuple[bool, str]]
LONGEST_REASONS = 1000


@dataclass(frozen=True, slots=True)
class Held:
    """What one expert holds of a line."""

    expert: str
    approves: bool
    reasons: str


def own(session: Session, actor: Actor, member_id: int) -> PanelMember:
    """The expert's own place on a panel. Raises NotFound for another's."""
    found = session.scalar(_own(actor).where(PanelMember.id == member_id))
    if found is None:
        raise NotFound("PanelMember")
    return found


def assigned(session: Session, actor: Actor) -> Sequence[PanelMember]:
    """All panels the expert is or was on: what is owed first, by its date."""
    return session.scalars(
        _own(actor)
        .join(PanelMember.panel)
        .order_by(
            sa.or_(PanelMember.finished_at.is_not(None), PanelMember.recused_at.is_not(None)),
            Panel.due_on,
            Panel.convened_at,
            PanelMember.id,
        )
    ).all()


def _own(actor: Actor) -> sa.Select[PanelMember]:
    return (
        sa.select(PanelMember)
        .join(PanelMember.expert)
        .where(
            Expert.user_id == actor.user_id, sa.true() if actor.role is Role.EXPERT else sa.false()
        )
    )


def record_opinions(
    session: Session,
    portal: Portal,
    actor: Actor,
    member: PanelMember,
    opinions: Opinions,
    *,
    finish: bool,
) -> None:
    """Keep what the expert holds of lines, by their id; `finish` hands all of it in, for good.

    The last to finish makes the panel's opinion. Raises NotFound for another's place or a line
    of another application, Refused: not under review, recused, finished, no reasons, a line left
    out, or an expert who belongs to the school.
    """
    if not panels.is_own(actor, member):
        raise NotFound("PanelMember")
    evaluation = member.panel.evaluation
    access.hold(session, evaluation)
    if not opinions.keys() <= {line.id for line in evaluation.lines}:
        raise NotFound("EvaluationLine")
    _refuse(session, member)
    _keep(member, opinions)
    if not finish:
        return
    _refuse_unfinished(evaluation, member)
    member.finished_at = portal.clock()
    audit.record(session, actor.label, "opinion.finish", evaluation.subject, at=member.finished_at)
    if all_in(member.panel):
        _conclude(session, member.panel, member.finished_at)


def all_in(panel: Panel) -> bool:
    """Whether nobody is missing: every recused one replaced, everybody finished."""
    return not panels.vacancies(panel) and all(
        one.finished_at is not None for one in panels.active(panel)
    )


def of_panel(evaluation: SpecialtyEvaluation) -> dict[int, list[Held]]:
    """By line, what each active member holds; nothing before all are in, for anybody."""
    panel = evaluation.panel
    if panel is None or evaluation.state is EvaluationState.UNDER_PANEL_REVIEW:
        return {}
    found: dict[int, list[Held]] = {}
    for member in panels.active(panel):
        for one in member.opinions:
            held = Held(member.expert.user.name, one.approves, one.reasons)
            found.setdefault(one.line_id, []).append(held)
    return found


def _refuse(session: Session, member: PanelMember) -> None:
    state = member.panel.evaluation.state
    if member.recused_at is not None:
        raise Refused("您已回避，不再参加这项评估。")
    if member.finished_at is not None or state is not EvaluationState.UNDER_PANEL_REVIEW:
        raise Refused("意见已经提交，不能再改。确有错误请联系市职业技能鉴定中心。")
    conflict = panels.conflict_of(session, member)
    if conflict:
        raise Refused(f"{conflict}，不能填写意见，请声明回避。")


def _keep(member: PanelMember, opinions: Opinions) -> None:
    kept = {one.line_id: one for one in member.opinions}
    for line_id, (approves, reasons) in opinions.items():
        if len(reasons) > LONGEST_REASONS:
            raise Refused(f"理由不超过 {LONGEST_REASONS} 个字，请缩短。")
        if line_id in kept:
            kept[line_id].approves, kept[line_id].reasons = approves, trimmed(reasons)
        else:
            opinion = ExpertOpinion(line_id=line_id, approves=approves, reasons=trimmed(reasons))
            member.opinions.append(opinion)


def _refuse_unfinished(evaluation: SpecialtyEvaluation, member: PanelMember) -> None:
    reasoned = {one.line_id for one in member.opinions if one.reasons}
    missing = [str(line.position) for line in evaluation.lines if line.id not in reasoned]
    if missing:
        raise Refused(f"第 {'、'.join(missing)} 项还没有意见或理由，请逐项填写后再提交。")


def _conclude(session: Session, panel: Panel, at: datetime) -> None:
    evaluation, members = panel.evaluation, panels.active(panel)
    for line in evaluation.lines:
        opinions = [one for m in members for one in m.opinions if one.line_id == line.id]
        _decide(session, line, opinions, at)
    transitions.apply(
        session,
        EVALUATION_WORKFLOW,
        evaluation,
        EvaluationAction.CONCLUDE,
        Role.SYSTEM,
        at=at,
    )


def _decide(
    session: Session, line: EvaluationLine, opinions: list[ExpertOpinion], at: datetime
) -> None:
    """The majority's opinion of the line, with the majority's reasons."""
    approved = majority([one.approves for one in opinions])
    reasons = dict.fromkeys(one.reasons for one in opinions if one.approves is approved)
    line.panel_reasons = "\n".join(reasons)
    action = LineAction.APPROVE if approved else LineAction.REFUSE
    transitions.apply(session, LINE_WORKFLOW, line, action, Role.SYSTEM, at=at)
