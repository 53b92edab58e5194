"""Reminders 7, 3 and 1 days before a date, each given once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.specialty_evaluation import EvaluationAction, EvaluationState
from school_portal.domain.windows import civil_date
from school_portal.domain.workflow import Role
from school_portal.models import Panel, PanelMember, SpecialtyEvaluation, StateChange, User
from school_portal.services import notices, places
from school_portal.services.portal import Portal
from school_portal.services.windows import window_at

DAYS_BEFORE = (1, 3, 7)
_E = SpecialtyEvaluation


@dataclass(frozen=True, slots=True)
class Due:
    """What someone has to have done by the end of a day; `since` is when they came to know."""

    subject: str
    user: User
    day: date
    since: date
    title: str
    text: str
    path: str


def step(today: date, since: date, due: date) -> int | None:
    """Which reminder is to be given by today, the latest alone where several were missed.

    None where there is none yet, where the date has passed, and where the reminder's day was not
    after the day on which the person came to know the date.
    """
    left = (due - today).days
    if left < 0:
        return None
    days = next((one for one in DAYS_BEFORE if left <= one), None)
    if days is None or due - timedelta(days=days) <= since:
        return None
    return days


def remind(session: Session, portal: Portal) -> None:
    """Give the reminders that are due and tell experts of new reviews; again changes nothing."""
    now, today = portal.clock(), portal.today()
    reviews = _unfinished(session)
    for member in reviews:
        notices.to_expert(session, member, now)
    for due in (*_corrections(session, today), *_reviews(reviews), *_drafts(session, portal)):
        days = step(today, due.since, due.day)
        if days is not None:
            left = (due.day - today).days
            when = f"还有 {left} 天" if left else "今天到期"
            token = f"{due.subject}:due:{due.day}:{days}"
            text = f"{due.day} 24:00 截止，{when}。{due.text}"
            notices.tell(session, due.user, token, now, due.title, text, due.path)


def _corrections(session: Session, today: date) -> Iterator[Due]:
    """Schools whose application was returned."""
    soon = today + timedelta(days=max(DAYS_BEFORE))
    for one in session.scalars(
        sa.select(_E).where(
            _E.state == EvaluationState.RETURNED, _E.correction_until.between(today, soon)
        )
    ):
        returned = session.scalar(
            sa.select(sa.func.max(StateChange.at)).where(
                StateChange.subject == one.subject, StateChange.action == EvaluationAction.RETURN
            )
        )
        for user in notices.operators(session, one.school_id):
            if one.correction_until is not None:
                yield Due(
                    one.subject,
                    user,
                    one.correction_until,
                    civil_date(returned or one.saved_at),
                    f"专业评估申请 {one.number} 的补正期限将至",
                    "请补正后重新提交；逾期不能再补正，须在受理期内重新申请。",
                    places.evaluation(one.id, Role.SCHOOL),
                )


def _unfinished(session: Session) -> Sequence[PanelMember]:
    """Experts who have yet to judge; who replaced another has not been told by any change."""
    return session.scalars(
        sa.select(PanelMember)
        .join(Panel)
        .join(_E)
        .where(
            _E.state == EvaluationState.UNDER_PANEL_REVIEW,
            PanelMember.recused_at.is_(None),
            PanelMember.finished_at.is_(None),
        )
    ).all()


def _reviews(unfinished: Iterable[PanelMember]) -> Iterator[Due]:
    for member in unfinished:
        panel, user = member.panel, member.expert.user
        if user.active and panel.due_on:
            yield Due(
                f"panel-member:{member.id}",
                user,
                panel.due_on,
                civil_date(panel.convened_at),
                f"专业评估申请 {panel.evaluation.number} 的评估期限将至",
                "请对每一项写明意见和理由后提交。",
                places.review(member.id),
            )


def _drafts(session: Session, portal: Portal) -> Iterator[Due]:
    """Schools with a draft while the window is open."""
    now = portal.clock()
    for draft in session.scalars(sa.select(_E).where(_E.state == EvaluationState.DRAFT)):
        window = window_at(session, now, draft.training_level, draft.school_id)
        if not window.open or (window.closes - now).days > max(DAYS_BEFORE):
            continue
        for user in notices.operators(session, draft.school_id):
            yield Due(
                draft.subject,
                user,
                window.closes.date(),
                civil_date(draft.created_at),
                f"{draft.training_level.label}专业评估申请的受理期将结束",
                "有一份申请还是草稿，没有提交；请检查后提交，逾期到下一个受理期办理。",
                places.evaluation(draft.id, Role.SCHOOL),
            )
