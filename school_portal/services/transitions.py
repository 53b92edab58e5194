"""The one place where a thing changes its state: by its workflow's table, guarded by version."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.workflow import Role, TransitionRefused, Workflow
from school_portal.services.access import Refused


def apply(
    session: Session, workflow: Workflow[Any, Any], thing: Any, action: StrEnum, role: Role
) -> None:
    """Move `thing` (a row with `state` and `version`) by the workflow's table.

    Raises Refused where the table has no such move, or where somebody else moved it first.
    """
    try:
        target = workflow.after(thing.state, action, role)
    except TransitionRefused:
        raise Refused(
            f"当前状态为“{thing.state.label}”，不能进行“{getattr(action, 'label', action)}”。"
            "请刷新页面查看最新状态。"
        ) from None
    table = type(thing)
    moved = session.execute(
        sa.update(table)
        .where(table.id == thing.id, table.state == thing.state, table.version == thing.version)
        .values(state=target, version=table.version + 1)
        .execution_options(synchronize_session=False)
    )
    if moved.rowcount != 1:  # type: ignore[attr-defined]
        raise Refused("已有他人先一步处理，请刷新页面查看最新状态。")
    session.refresh(thing)
