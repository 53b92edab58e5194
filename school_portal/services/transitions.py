"""The one place where a case changes its state: by its workflow's table, guarded by version."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.windows import TZ
from school_portal.domain.workflow import Role, TransitionRefused, Workflow
from school_portal.models import StateChange
from school_portal.security import audit
from school_portal.services import notices
from school_portal.services.access import Actor, Refused


def apply(
    session: Session,
    workflow: Workflow[Any, Any],
    case: Any,
    action: StrEnum,
    role: Role,
    *,
    actor: Actor | None = None,
    at: datetime | None = None,
    reason: str = "",
    **detail: audit.Primitive,
) -> None:
    """Move `case` by the workflow's table; history, audit and notices are written with it.

    `actor` is whoever decided, None for the system; `at` the instant, the server's now where none
    is given; `detail` holds nothing personal. The reason is kept in the history, its hash in the
    audit chain. Raises Refused where the table has no such move, or where somebody else moved the
    case first: who and when is said.
    """
    at = at or datetime.now(UTC)
    source = case.state
    target = _target(session, workflow, case, action, role)
    _move(session, case, target)
    change = StateChange(
        subject=case.subject,
        at=at,
        user_id=actor.user_id if actor else None,
        role=role,
        action=action.value,
        label=getattr(action, "label", action.value),
        source=source.value,
        target=target.value,
        reason=reason,
        detail=dict(detail),
    )
    session.add(change)
    notices.of_change(session, case, change)
    if reason:
        detail["reason_sha256"] = sha256(reason.encode()).hexdigest()
    audit.record(
        session,
        actor.label if actor else "system",
        f"{case.KIND}.{action.value}",
        case.subject,
        at=at,
        **detail,
    )


def _target(
    session: Session, workflow: Workflow[Any, Any], case: Any, action: StrEnum, role: Role
) -> StrEnum:
    try:
        target: StrEnum = workflow.after(case.state, action, role)
    except TransitionRefused:
        raise Refused(
            f"当前状态为“{case.state.label}”，不能进行“{getattr(action, 'label', action)}”。"
            f"{latest_change(session, case.subject)}请刷新页面查看最新状态。"
        ) from None
    return target


def _move(session: Session, case: Any, target: StrEnum) -> None:
    """Where the row is no more as it was read, somebody else was first."""
    session.flush()
    table = type(case)
    moved = session.execute(
        sa.update(table)
        .where(table.id == case.id, table.state == case.state, table.version == case.version)
        .values(state=target, version=table.version + 1)
        .execution_options(synchronize_session=False)
    )
    if moved.rowcount != 1:  # type: ignore[attr-defined]
        said = latest_change(session, case.subject) or "已有他人先一步处理。"
        raise Refused(f"{said}请刷新页面查看最新状态。")
    session.refresh(case)


def latest_change(session: Session, subject: str) -> str:
    """Who moved the case last, and when, as a sentence; empty where nobody did."""
    found = last_change(session, subject)
    if found is None:
        return ""
    who = f"{found.role.label}的{found.user.name}" if found.user else found.role.label
    return f"{who}已于 {found.at.astimezone(TZ):%Y-%m-%d %H:%M} 进行“{found.label}”。"


def last_change(session: Session, subject: str) -> StateChange | None:
    """A case's last move."""
    return session.scalar(
        sa.select(StateChange)
        .where(StateChange.subject == subject)
        .order_by(StateChange.id.desc())
        .limit(1)
    )


def waiting_since(session: Session, workflow: Workflow[Any, Any], case: Any) -> datetime | None:
    """When the case moved last; None where nothing follows any more."""
    if workflow.is_final(case.state):
        return None
    moved = sa.select(sa.func.max(StateChange.at)).where(StateChange.subject == case.subject)
    found: datetime | None = session.scalar(moved)
    return found


def history(session: Session, subject: str) -> list[StateChange]:
    """All moves of a case, the newest first."""
    found = session.scalars(
        sa.select(StateChange).where(StateChange.subject == subject).order_by(StateChange.id.desc())
    )
    return list(found)
