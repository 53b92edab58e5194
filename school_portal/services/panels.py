"""Panels: proposed, convened, recused and replaced (rulebook 5, 3)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain import evaluation_panel as rules
from school_portal.domain.specialty_evaluation import (
    EVALUATION_WORKFLOW,
    PANEL_SIZE,
    EvaluationAction,
    EvaluationState,
)
from school_portal.domain.workflow import Role
from school_portal.models import Panel, PanelMember, SpecialtyEvaluation
from school_portal.security import audit
from school_portal.services import access, experts, policies, receiving, transitions
from school_portal.services.access import Actor, NotFound, Refused
from school_portal.services.portal import Portal

LONGEST_REASON = 500


def candidates(session: Session, evaluation: SpecialtyEvaluation) -> list[rules.Candidate]:
    """The whole pool for this application, the best first, those who may not sit last."""
    loads, declared = experts.loads(session), _declared(session, evaluation.school_id)
    pool = [
        experts.as_pooled(one, loads.get(one.id, 0), one.id in declared)
        for one in experts.pool(session)
    ]
    return rules.ranked(pool, _applicant(evaluation), policies.current(session))


def propose(
    session: Session, evaluation: SpecialtyEvaluation, size: int = PANEL_SIZE
) -> list[rules.Candidate]:
    """The first of those who may sit: fewer than `size` where the pool has no more."""
    return [one for one in candidates(session, evaluation) if not one.objection][:size]


def convene(
    session: Session,
    portal: Portal,
    actor: Actor,
    evaluation: SpecialtyEvaluation,
    expert_ids: Iterable[int],
    due_on: date | None = None,
) -> Panel:
    """The panel, by the centre: an odd number, at least three, none who belongs to the school.

    `due_on` is the day by which the opinions are asked for. Raises NotFound for an unknown expert,
    Refused naming whom and why.
    """
    role, chosen = receiving.role_at(actor, evaluation), sorted(set(expert_ids))
    access.hold(session, evaluation)
    policy = policies.current(session)
    refusal = rules.size_refusal(len(chosen), evaluation.training_level, policy)
    if refusal:
        raise Refused(refusal)
    _refuse_conflicts(session, evaluation, chosen)
    if due_on is not None and due_on < portal.today():
        raise Refused(f"完成期限 {due_on} 已过，请填写今天或以后的日期。")
    now = portal.clock()
    if (evaluation.state, EvaluationAction.CONVENE, role) in EVALUATION_WORKFLOW.table:
        # Before the move, which tells the members.
        session.add(
            Panel(
                evaluation=evaluation,
                convened_at=now,
                due_on=due_on,
                members=[PanelMember(expert_id=key) for key in chosen],
            )
        )
    transitions.apply(
        session,
        EVALUATION_WORKFLOW,
        evaluation,
        EvaluationAction.CONVENE,
        role,
        actor=actor,
        at=now,
        experts=len(chosen),
    )
    return session.scalars(sa.select(Panel).where(Panel.evaluation_id == evaluation.id)).one()


def recuse(
    session: Session, portal: Portal, actor: Actor, member: PanelMember, reason: str
) -> None:
    """回避, declared by the expert or by the centre; another must take the place.

    Raises NotFound for anybody else, Refused.
    """
    if actor.role is not Role.CENTRE and not is_own(actor, member):
        raise NotFound("PanelMember")
    access.hold(session, member.panel.evaluation)
    _under_review(member)
    if member.recused_at is not None:
        raise Refused(f"{member.expert.user.name}已经回避，不用再次提交。")
    if len(reason) > LONGEST_REASON:
        raise Refused(f"回避的理由不超过 {LONGEST_REASON} 个字，请缩短。")
    member.recusal_reason = receiving.given(reason)
    member.recused_at = portal.clock()
    _record(session, portal, actor, member, "panel.recuse")


def replace(
    session: Session, portal: Portal, actor: Actor, member: PanelMember, expert_id: int
) -> PanelMember:
    """Another expert in the place of a recused one, by the centre. Raises NotFound, Refused."""
    if actor.role is not Role.CENTRE:
        raise NotFound("PanelMember")
    evaluation = member.panel.evaluation
    access.hold(session, evaluation)
    _under_review(member)
    name = member.expert.user.name
    if member not in vacancies(member.panel):
        raise Refused(f"{name}没有回避，或者已经有人接替，请刷新页面查看最新状态。")
    if expert_id in {one.expert_id for one in member.panel.members}:
        raise Refused("所选专家已经在这个专家组内，请改选其他专家。")
    _refuse_conflicts(session, evaluation, [expert_id])
    successor = PanelMember(expert_id=expert_id, replaces_id=member.id)
    member.panel.members.append(successor)
    session.flush()
    _record(session, portal, actor, successor, "panel.replace")
    return successor


def active(panel: Panel) -> list[PanelMember]:
    """Those who judge: not recused."""
    return [one for one in panel.members if one.recused_at is None]


def vacancies(panel: Panel) -> list[PanelMember]:
    """The recused whose place nobody has taken yet."""
    replaced = {one.replaces_id for one in panel.members}
    return [one for one in panel.members if one.recused_at is not None and one.id not in replaced]


def is_own(actor: Actor, member: PanelMember) -> bool:
    """Whether the actor is that expert."""
    return actor.role is Role.EXPERT and member.expert.user_id == actor.user_id


def conflict_of(session: Session, member: PanelMember) -> str:
    """Why this member may not judge after all, in Chinese; empty for none."""
    evaluation, expert = member.panel.evaluation, member.expert
    declared = expert.id in _declared(session, evaluation.school_id)
    pooled = experts.as_pooled(expert, 0, declared)
    return rules.objection(pooled, _applicant(evaluation), policies.current(session))


def _under_review(member: PanelMember) -> None:
    state = member.panel.evaluation.state
    if state is not EvaluationState.UNDER_PANEL_REVIEW:
        raise Refused(f"当前状态为“{state.label}”，专家组已不能变动。")


def _refuse_conflicts(session: Session, evaluation: SpecialtyEvaluation, chosen: list[int]) -> None:
    known = {one.expert.key: one for one in candidates(session, evaluation)}
    if not known.keys() >= set(chosen):
        raise NotFound("Expert")
    objections = [known[key].objection for key in chosen if known[key].objection]
    if objections:
        raise Refused(f"以下专家不能参加：{'；'.join(objections)}。请改选其他专家。")


def _declared(session: Session, school_id: int) -> set[int]:
    """The experts who withdrew from a panel for the school."""
    return set(
        session.scalars(
            sa.select(PanelMember.expert_id)
            .join(PanelMember.panel)
            .join(Panel.evaluation)
            .where(SpecialtyEvaluation.school_id == school_id, PanelMember.recused_at.is_not(None))
        )
    )


def _applicant(evaluation: SpecialtyEvaluation) -> rules.Applicant:
    return rules.Applicant(
        evaluation.school.name,
        evaluation.school.uscc,
        evaluation.training_level,
        frozenset(line.occupation for line in evaluation.lines),
    )


def _record(
    session: Session, portal: Portal, actor: Actor, member: PanelMember, action: str
) -> None:
    audit.record(
        session,
        actor.label,
        action,
        member.panel.evaluation.subject,
        at=portal.clock(),
        expert=member.expert_id,
    )
