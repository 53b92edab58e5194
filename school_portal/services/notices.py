"""What the portal tells people: made with the change it tells of, read by each for themselves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.specialty_evaluation import RECEIVERS, missing_seals
from school_portal.domain.workflow import Role
from school_portal.models import (
    AccountOpening,
    EvaluationLine,
    Notice,
    Panel,
    PanelMember,
    Permission,
    School,
    SchoolAccount,
    SchoolKey,
    SpecialtyEvaluation,
    StateChange,
    User,
    UserRole,
    dialect,
)
from school_portal.services import places
from school_portal.services.access import Actor, NotFound
from school_portal.services.notice_texts import WORDINGS, Audience, Wording
from school_portal.services.portal import Portal


def of_change(session: Session, case: Any, change: StateChange) -> None:
    """Tell whom a change concerns, in its own transaction; whoever made it is not told."""
    for wording in WORDINGS.get((case.KIND, change.action), ()):
        session.flush()  # the change's id
        if wording.audience is Audience.EXPERTS:
            for member in members(session, case.id):
                to_expert(session, member, change.at)
            continue
        title, text = _words(case, wording, change.detail.get("ends_on"))
        if change.reason:
            text += f"理由：{change.reason}"
        for user in _people(session, case, change, wording.audience):
            if user.id != change.user_id:
                token = f"{change.subject}:{change.id}"
                tell(session, user, token, change.at, title, text, _path(case, user.role))


def tell(
    session: Session, user: User, token: str, at: datetime, title: str, text: str, path: str
) -> None:
    """One notice to one person, given once whatever how often: `token` names what it tells."""
    dialect.ensure_row(
        session,
        Notice.__table__,
        {
            "user_id": user.id,
            "token": token,
            "at": at,
            "title": title[:200],
            "text": text[:2000],
            "path": path,
            "mail_wanted": user.email_sealed is not None,
        },
    )


def members(session: Session, evaluation_id: int) -> Sequence[PanelMember]:
    """The panel's members who still have to judge."""
    return session.scalars(
        sa.select(PanelMember)
        .join(Panel)
        .where(
            Panel.evaluation_id == evaluation_id,
            PanelMember.recused_at.is_(None),
            PanelMember.finished_at.is_(None),
        )
        .order_by(PanelMember.id)
    ).all()


def to_expert(session: Session, member: PanelMember, at: datetime) -> None:
    """Tell an expert of the review that was assigned."""
    evaluation, user = member.panel.evaluation, member.expert.user
    wording = next(
        one for one in WORDINGS[evaluation.KIND, "convene"] if one.audience is Audience.EXPERTS
    )
    title, text = _words(evaluation, wording)
    if member.panel.due_on:
        text += f"请在 {member.panel.due_on} 24:00 前完成。"
    if user.active:
        tell(session, user, f"panel-member:{member.id}", at, title, text, places.review(member.id))


def operators(session: Session, school_id: int) -> Sequence[User]:
    """Who works for the school."""
    return _users(session, User.role == Role.SCHOOL, User.school_id == school_id)


def with_role(session: Session, *roles: Role) -> Sequence[User]:
    """Who acts in one of the roles."""
    more = User.more_roles.any(UserRole.role.in_(roles))
    return _users(session, sa.or_(User.role.in_(roles), more))


def page_of(session: Session, actor: Actor, *, limit: int, offset: int) -> Sequence[Notice]:
    """The actor's own notices, unread ones first, then the newest."""
    return session.scalars(
        sa.select(Notice)
        .where(Notice.user_id == actor.user_id)
        .order_by(Notice.read_at.is_not(None), Notice.at.desc(), Notice.id.desc())
        .limit(limit)
        .offset(offset)
    ).all()


def count(session: Session, actor: Actor, *, unread: bool = False) -> int:
    """How many notices the actor has, or has not read yet."""
    counted = sa.select(sa.func.count(Notice.id)).where(Notice.user_id == actor.user_id)
    return session.scalar(counted.where(Notice.read_at.is_(None)) if unread else counted) or 0


def read(session: Session, portal: Portal, actor: Actor, notice_id: int | None) -> None:
    """Mark one of the actor's notices as read, or all with None. Raises NotFound."""
    own = sa.update(Notice).where(Notice.user_id == actor.user_id)
    if notice_id is None:
        session.execute(own.where(Notice.read_at.is_(None)).values(read_at=portal.clock()))
        return
    first = sa.func.coalesce(Notice.read_at, sa.literal(portal.clock(), Notice.read_at.type))
    found = session.execute(own.where(Notice.id == notice_id).values(read_at=first))
    if found.rowcount != 1:  # type: ignore[attr-defined]
        raise NotFound("Notice")


def _words(case: Any, wording: Wording, until: str | None = None) -> tuple[str, str]:
    """Title and text with the case's own words in them; `until` is the change's own date."""
    known = {
        "number": getattr(case, "number", None) or "",
        "school": _school(case).name,
        "what": _what(case),
        "until": until or getattr(case, "correction_until", None) or "所定期限",
    }
    return wording.title.format(**known), wording.text.format(**known)


def _school(case: Any) -> School:
    found: School = case.specialty.school if isinstance(case, EvaluationLine) else case.school
    return found


def _what(case: Any) -> str:
    match case:
        case EvaluationLine():
            return f"{case.specialty.name}：{case.project.label}"
        case Permission():
            return str(case.project.label)
        case AccountOpening():
            return case.kind.label
    return ""


def _people(session: Session, case: Any, change: StateChange, audience: Audience) -> Iterable[User]:
    match audience:
        case Audience.SCHOOL:
            return operators(session, _school(case).id)
        case Audience.RECEIVER:
            roles = {RECEIVERS[case.training_level]}
        case Audience.SEALERS:
            roles = set(missing_seals(case.training_level, (one.role for one in case.seals)))
        case _:
            roles = {Role.CENTRE}
    return with_role(session, *roles)


def _users(session: Session, *conditions: sa.ColumnElement[bool]) -> Sequence[User]:
    return session.scalars(sa.select(User).where(User.active, *conditions).order_by(User.id)).all()


def _path(case: Any, role: Role) -> str:
    match case:
        case SpecialtyEvaluation():
            return places.evaluation(case.id, role)
        case EvaluationLine(evaluation_id=int(evaluation_id)):
            return places.evaluation(evaluation_id, role)
        case EvaluationLine():
            return places.SPECIALTIES
        case AccountOpening():
            return places.opening(case.id, role)
        case SchoolKey():
            return places.account(case.school_id, role)
        case SchoolAccount() | Permission():
            return places.ACCOUNT
    raise LookupError(case.KIND)
