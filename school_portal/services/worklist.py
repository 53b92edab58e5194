"""What waits for whoever signs in: the most urgent first, then the oldest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased, joinedload

from school_portal.domain.account import OpeningState
from school_portal.domain.group_application import ApplicationState
from school_portal.domain.permission import PermissionState
from school_portal.domain.school_key import KeyState
from school_portal.domain.specialty_evaluation import RECEIVERS, SEALS, EvaluationState
from school_portal.domain.workflow import Role
from school_portal.models import (
    AccountOpening,
    Expert,
    GroupApplication,
    Panel,
    PanelMember,
    Permission,
    PermissionRequest,
    SchoolKey,
    SpecialtyEvaluation,
    StateChange,
)
from school_portal.services import places
from school_portal.services.access import Actor
from school_portal.services.portal import Portal
from school_portal.services.windows import window_at

_E, _O = SpecialtyEvaluation, AccountOpening
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class WorkItem:
    """One thing to do: since when, and until when where a rule has a date."""

    title: str
    number: str
    school: str
    path: str
    since: datetime | None
    due: date | None
    action: str


def items(session: Session, portal: Portal, actor: Actor) -> list[WorkItem]:
    """The actor's work: with a date first, the nearest first; then what waits longest."""
    sources = _SOURCES.get(actor.role, ()) if actor.role else ()
    found = [item for source in sources for item in source(session, portal, actor)]
    return sorted(found, key=lambda one: (one.due or date.max, one.since or _LONG_AGO))


def _evaluations(
    session: Session, *conditions: sa.ColumnElement[bool]
) -> list[SpecialtyEvaluation]:
    found = sa.select(_E).where(*conditions).options(joinedload(_E.school)).order_by(_E.id)
    return list(session.scalars(found))


def _since(
    session: Session, cases: Iterable[SpecialtyEvaluation | AccountOpening | SchoolKey]
) -> dict[str, datetime]:
    """When each case last moved, by its subject."""
    found = session.execute(
        sa.select(StateChange.subject, sa.func.max(StateChange.at))
        .where(StateChange.subject.in_([case.subject for case in cases]))
        .group_by(StateChange.subject)
    )
    return {row.subject: row[1] for row in found}


def _evaluation_items(
    session: Session,
    role: Role,
    found: list[SpecialtyEvaluation],
    action: str,
    due: date | None = None,
) -> Iterator[WorkItem]:
    since = _since(session, found)
    for one in found:
        yield WorkItem(
            f"专业评估申请（{one.training_level.label}）",
            one.number or "",
            one.school.name,
            places.evaluation(one.id, role),
            since.get(one.subject, one.saved_at),
            due,
            action,
        )


def _to_receive(session: Session, portal: Portal, actor: Actor) -> Iterator[WorkItem]:
    levels = [level for level, role in RECEIVERS.items() if role is actor.role]
    found = _evaluations(
        session, _E.state == EvaluationState.SUBMITTED, _E.training_level.in_(levels)
    )
    first = [one for one in found if len(one.submissions) < 2]
    again = [one for one in found if len(one.submissions) >= 2]
    yield from _evaluation_items(session, RECEIVERS[levels[0]], first, "审查是否受理")
    yield from _evaluation_items(session, RECEIVERS[levels[0]], again, "审查补正")


def _to_seal(session: Session, portal: Portal, actor: Actor) -> Iterator[WorkItem]:
    levels = [level for level, roles in SEALS.items() if actor.role in roles]
    found = _evaluations(
        session, _E.state == EvaluationState.OPINION_RECORDED, _E.training_level.in_(levels)
    )
    mine = [one for one in found if actor.role not in {seal.role for seal in one.seals}]
    yield from _evaluation_items(session, Role.CENTRE, mine, "盖章")


def _to_convene(session: Session, portal: Portal, actor: Actor) -> Iterator[WorkItem]:
    accepted = _evaluations(session, _E.state == EvaluationState.ACCEPTED)
    yield from _evaluation_items(session, Role.CENTRE, accepted, "组成专家组")
    other = aliased(PanelMember)
    replaced = sa.exists().where(other.replaces_id == PanelMember.id)
    lacking = sa.select(Panel.evaluation_id).join(Panel.members)
    lacking = lacking.where(PanelMember.recused_at.is_not(None), ~replaced)
    short = _evaluations(
        session, _E.state == EvaluationState.UNDER_PANEL_REVIEW, _E.id.in_(lacking)
    )
    yield from _evaluation_items(session, Role.CENTRE, short, "更换回避的专家")


def _openings(
    session: Session, role: Role, state: OpeningState, action: str, *own: sa.ColumnElement[bool]
) -> Iterator[WorkItem]:
    found = list(
        session.scalars(
            sa.select(_O)
            .where(_O.state == state, *own)
            .options(joinedload(_O.school))
            .order_by(_O.id)
        )
    )
    since = _since(session, found)
    for one in found:
        yield WorkItem(
            f"{one.kind.label}申请",
            one.number or "",
            one.school.name,
            places.opening(one.id, role),
            since.get(one.subject, one.saved_at),
            None,
            action,
        )


def _centre_openings(session: Session, portal: Portal, actor: Actor) -> Iterator[WorkItem]:
    yield from _openings(session, Role.CENTRE, OpeningState.REQUESTED, "登记收到原件")
    yield from _openings(session, Role.CENTRE, OpeningState.ORIGINAL_RECEIVED, "审批")


def _permissions(session: Session, portal: Portal, actor: Actor) -> Iterator[WorkItem]:
    counted = (
        sa.select(Permission.request_id, sa.func.count().label("lines"))
        .where(Permission.state == PermissionState.REQUESTED)
        .group_by(Permission.request_id)
        .subquery()
    )
    found = session.execute(
        sa.select(PermissionRequest, counted.c.lines)
        .join(counted, counted.c.request_id == PermissionRequest.id)
        .options(joinedload(PermissionRequest.school))
        .order_by(PermissionRequest.id)
    )
    for one, lines in found:
        yield WorkItem(
            "申报权限申请",
            one.number or "",
            one.school.name,
            places.permission_request(one.id),
            one.requested_at,
            None,
            f"审核 {lines} 项",
        )


def _keys(session: Session, portal: Portal, actor: Actor) -> Iterator[WorkItem]:
    found = session.scalars(
        sa.select(SchoolKey)
        .where(SchoolKey.state == KeyState.WAITING)
        .options(joinedload(SchoolKey.school))
        .order_by(SchoolKey.id)
    ).all()
    since = _since(session, found)
    for one in found:
        yield WorkItem(
            "更新的密钥",
            "",
            one.school.name,
            f"{places.account(one.school_id, Role.CENTRE)}#keys",
            since.get(one.subject, one.first_seen_at),
            None,
            "核准",
        )


def _reviews(session: Session, portal: Portal, actor: Actor) -> Iterator[WorkItem]:
    found = session.scalars(
        sa.select(PanelMember)
        .join(PanelMember.expert)
        .join(PanelMember.panel)
        .join(Panel.evaluation)
        .where(
            Expert.user_id == actor.user_id,
            PanelMember.recused_at.is_(None),
            PanelMember.finished_at.is_(None),
            _E.state == EvaluationState.UNDER_PANEL_REVIEW,
        )
        .order_by(PanelMember.id)
    )
    for member in found:
        panel, evaluation = member.panel, member.panel.evaluation
        yield WorkItem(
            f"专业评估（{evaluation.training_level.label}）",
            evaluation.number or "",
            evaluation.school.name,
            places.review(member.id),
            panel.convened_at,
            panel.due_on,
            "写明评估意见",
        )


def _own_evaluations(session: Session, portal: Portal, actor: Actor) -> Iterator[WorkItem]:
    own = _E.school_id == actor.school_id
    for one in _evaluations(session, own, _E.state == EvaluationState.RETURNED):
        yield from _evaluation_items(
            session, Role.SCHOOL, [one], "补正后提交", one.correction_until
        )
    now = portal.clock()
    for one in _evaluations(session, own, _E.state == EvaluationState.DRAFT):
        window = window_at(session, now, one.training_level, one.school_id)
        if window.open:
            yield from _evaluation_items(
                session, Role.SCHOOL, [one], "填写并提交", window.closes.date()
            )


def _own_openings(session: Session, portal: Portal, actor: Actor) -> Iterator[WorkItem]:
    own = _O.school_id == actor.school_id
    yield from _openings(session, Role.SCHOOL, OpeningState.DRAFT, "填写并提交", own)
    yield from _openings(session, Role.SCHOOL, OpeningState.RETURNED, "改正后重新提交", own)
    yield from _openings(session, Role.SCHOOL, OpeningState.REQUESTED, "交来签字盖章的原件", own)


def _own_drafts(session: Session, portal: Portal, actor: Actor) -> Iterator[WorkItem]:
    drafts, oldest = session.execute(
        sa.select(sa.func.count(), sa.func.min(GroupApplication.created_at)).where(
            GroupApplication.school_id == actor.school_id,
            GroupApplication.state == ApplicationState.DRAFT,
        )
    ).one()
    if drafts:
        path = f"{places.APPLICATIONS}?state={ApplicationState.DRAFT.value}"
        yield WorkItem(f"团体申报草稿 {drafts} 份", "", "", path, oldest, None, "核对并提交")


Source = Callable[[Session, Portal, Actor], Iterator[WorkItem]]
_SOURCES: dict[Role, tuple[Source, ...]] = {
    Role.TEACHING_OFFICE: (_to_receive, _to_seal),
    Role.VOCATIONAL_DIVISION: (_to_receive, _to_seal),
    Role.CENTRE: (_to_convene, _to_seal, _centre_openings, _permissions, _keys),
    Role.EXPERT: (_reviews,),
    Role.SCHOOL: (_own_evaluations, _own_openings, _own_drafts),
}
