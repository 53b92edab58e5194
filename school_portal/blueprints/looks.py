"""Workflow states as pages show them: a colour, an icon and a word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from school_portal.domain.account import AccountState, OpeningState
from school_portal.domain.group_application import ApplicationState, MemberState
from school_portal.domain.permission import PermissionState
from school_portal.domain.roster import RosterState
from school_portal.domain.school_key import KeyState
from school_portal.domain.specialty_evaluation import EvaluationState, LineState


@dataclass(frozen=True, slots=True)
class Look:
    """A state as a page shows it: never by colour alone."""

    colour: str
    icon: str
    word: str


# By type first: members of two workflows with the same value are equal.
LOOKS: dict[type[Enum], dict[Any, Look]] = {
    RosterState: {
        RosterState.UPLOADED: Look("blue", "clock", "等待检查"),
        RosterState.READING: Look("blue", "loader-2", "检查中"),
        RosterState.CHECKED: Look("orange", "alert-triangle", "待确认"),
        RosterState.CONFIRMED: Look("blue", "loader-2", "保存中"),
        RosterState.APPLIED: Look("green", "circle-check", "已保存"),
        RosterState.FAILED: Look("red", "circle-x", "未通过检查"),
        RosterState.DISCARDED: Look("grey", "trash", "已放弃"),
        RosterState.UNDONE: Look("grey", "arrow-back-up", "已撤销"),
    },
    ApplicationState: {
        ApplicationState.DRAFT: Look("grey", "pencil", ApplicationState.DRAFT.label),
        ApplicationState.SIGNED: Look("blue", "certificate", ApplicationState.SIGNED.label),
        ApplicationState.SUBMITTED: Look("blue", "clock", ApplicationState.SUBMITTED.label),
        ApplicationState.ACCEPTED: Look("green", "circle-check", ApplicationState.ACCEPTED.label),
        ApplicationState.RETURNED: Look("orange", "arrow-back-up", ApplicationState.RETURNED.label),
        ApplicationState.SCHEDULED: Look("green", "calendar", ApplicationState.SCHEDULED.label),
        ApplicationState.RESULTS_RECORDED: Look(
            "green", "clipboard-check", ApplicationState.RESULTS_RECORDED.label
        ),
        ApplicationState.CLOSED: Look("dark", "check", ApplicationState.CLOSED.label),
        ApplicationState.WITHDRAWN: Look("dark", "ban", ApplicationState.WITHDRAWN.label),
    },
    EvaluationState: {
        EvaluationState.DRAFT: Look("grey", "pencil", "草稿 · 未提交"),
        EvaluationState.SUBMITTED: Look("blue", "clock", "已提交 · 待受理"),
        EvaluationState.RETURNED: Look("orange", "arrow-back-up", "退回补正"),
        EvaluationState.ACCEPTED: Look("blue", "clipboard-check", "已受理 · 待组专家组"),
        EvaluationState.NOT_ACCEPTED: Look("red", "circle-x", "不予受理"),
        EvaluationState.UNDER_PANEL_REVIEW: Look("blue", "users-group", "专家评估中"),
        EvaluationState.OPINION_RECORDED: Look("blue", "certificate", "已有意见 · 待盖章"),
        EvaluationState.SEALED: Look("green", "circle-check", "已盖章生效"),
        EvaluationState.WITHDRAWN: Look("dark", "ban", "已撤回"),
    },
    LineState: {
        LineState.PENDING: Look("blue", "clock", "待评估"),
        LineState.APPROVED: Look("green", "circle-check", LineState.APPROVED.label),
        LineState.REFUSED: Look("red", "circle-x", LineState.REFUSED.label),
        LineState.REVOKED: Look("dark", "ban", "已撤销"),
        LineState.EXPIRED: Look("dark", "ban", "已到期"),
    },
    OpeningState: {
        OpeningState.DRAFT: Look("grey", "pencil", "草稿 · 未提交"),
        OpeningState.REQUESTED: Look("blue", "clock", "已申请 · 待交原件"),
        OpeningState.ORIGINAL_RECEIVED: Look("blue", "clipboard-check", "已收原件 · 待审批"),
        OpeningState.APPROVED: Look("green", "circle-check", "已批准"),
        OpeningState.RETURNED: Look("orange", "arrow-back-up", "已退回"),
        OpeningState.WITHDRAWN: Look("dark", "ban", "已撤回"),
    },
    AccountState: {
        AccountState.NOT_OPEN: Look("grey", "clock", AccountState.NOT_OPEN.label),
        AccountState.APPROVED: Look("blue", "clock", AccountState.APPROVED.label),
        AccountState.OPEN: Look("green", "circle-check", AccountState.OPEN.label),
        AccountState.SUSPENDED: Look("orange", "ban", AccountState.SUSPENDED.label),
        AccountState.CLOSED: Look("dark", "ban", AccountState.CLOSED.label),
    },
    PermissionState: {
        PermissionState.REQUESTED: Look("blue", "clock", PermissionState.REQUESTED.label),
        PermissionState.GRANTED: Look("green", "circle-check", PermissionState.GRANTED.label),
        PermissionState.REFUSED: Look("red", "circle-x", PermissionState.REFUSED.label),
        PermissionState.REVOKED: Look("dark", "ban", PermissionState.REVOKED.label),
        PermissionState.WITHDRAWN: Look("dark", "ban", PermissionState.WITHDRAWN.label),
    },
    KeyState: {
        KeyState.NOT_IN_USE: Look("grey", "ban", KeyState.NOT_IN_USE.label),
        KeyState.ACCEPTED: Look("green", "circle-check", KeyState.ACCEPTED.label),
        KeyState.WAITING: Look("orange", "clock", KeyState.WAITING.label),
        KeyState.REFUSED: Look("red", "circle-x", KeyState.REFUSED.label),
    },
    MemberState: {
        MemberState.INCLUDED: Look("grey", "check", MemberState.INCLUDED.label),
        MemberState.RETURNED: Look("orange", "arrow-back-up", MemberState.RETURNED.label),
        MemberState.WITHDRAWN: Look("dark", "ban", MemberState.WITHDRAWN.label),
        MemberState.REPLACED: Look("dark", "ban", MemberState.REPLACED.label),
        MemberState.PASSED: Look("green", "circle-check", MemberState.PASSED.label),
        MemberState.FAILED: Look("red", "circle-x", MemberState.FAILED.label),
    },
}


def state_look(state: Enum | Look) -> Look:
    return state if isinstance(state, Look) else LOOKS[type(state)][state]


def state_tabs(counts: Mapping[Any, int]) -> list[tuple[str, str]]:
    """A tab for each state of one workflow that there is something in."""
    looks = LOOKS[type(next(iter(counts)))] if counts else {}
    return [(str(s), f"{look.word} {counts[s]}") for s, look in looks.items() if s in counts]
