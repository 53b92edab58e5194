"""A group application's states and its students' (rulebook 7)."""

from __future__ import annotations

from school_portal.domain.labels import LabelledEnum


class ApplicationState(LabelledEnum):
    """Where a group application stands."""

    DRAFT = "draft", "草稿"
    SIGNED = "signed", "已签名"
    SUBMITTED = "submitted", "已提交"
    ACCEPTED = "accepted", "已受理"
    RETURNED = "returned", "已退回"
    SCHEDULED = "scheduled", "已排期"
    RESULTS_RECORDED = "results_recorded", "已登记成绩"
    CLOSED = "closed", "已结束"
    WITHDRAWN = "withdrawn", "已撤回"


# From draft to scheduled an application is open (`ONCE`).
OPEN_STATES = (
    ApplicationState.DRAFT,
    ApplicationState.SIGNED,
    ApplicationState.SUBMITTED,
    ApplicationState.ACCEPTED,
    ApplicationState.RETURNED,
    ApplicationState.SCHEDULED,
)


class MemberState(LabelledEnum):
    """Where a student in it stands."""

    INCLUDED = "included", "在列"
    RETURNED = "returned", "已退回"
    WITHDRAWN = "withdrawn", "已撤回"
    REPLACED = "replaced", "已替换"
    PASSED = "passed", "合格"
    FAILED = "failed", "不合格"
