"""Prints docs/workflows.md from the tables in the code: `make docs`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any, cast

from school_portal.domain.account import ACCOUNT_WORKFLOW, OPENING_WORKFLOW
from school_portal.domain.group_application import APPLICATION_WORKFLOW, MEMBER_WORKFLOW
from school_portal.domain.labels import LabelledEnum
from school_portal.domain.permission import PERMISSION_WORKFLOW
from school_portal.domain.roster import ROSTER_WORKFLOW
from school_portal.domain.school_key import KEY_WORKFLOW
from school_portal.domain.specialty_evaluation import EVALUATION_WORKFLOW, LINE_WORKFLOW
from school_portal.domain.workflow import Role, Workflow

WORKFLOWS: tuple[Workflow[Any, Any], ...] = (
    ROSTER_WORKFLOW,
    APPLICATION_WORKFLOW,
    MEMBER_WORKFLOW,
    EVALUATION_WORKFLOW,
    LINE_WORKFLOW,
    OPENING_WORKFLOW,
    ACCOUNT_WORKFLOW,
    PERMISSION_WORKFLOW,
    KEY_WORKFLOW,
)
HEAD = """# 流程表

本页由 `make docs` 从代码打印，请勿手改。表中没有列出的“状态 × 操作 × 角色”一律拒绝。
"""


def page() -> str:
    """The whole page: a diagram and a table for each workflow."""
    return "\n".join([HEAD, *chain.from_iterable(map(section, WORKFLOWS))])


def section(workflow: Workflow[Any, Any]) -> Iterator[str]:
    states = [*cast("type[LabelledEnum]", type(workflow.transitions[0].target))]
    moves = [
        (source, move)
        for move in workflow.transitions
        for source in sorted(move.sources, key=states.index)
    ]
    yield f"## {workflow.title}\n"
    yield "```mermaid\nstateDiagram-v2"
    for state in states:
        yield f"    {state.value}: {state.label}"
    for source, move in moves:
        yield f"    {source.value} --> {move.target.value}: {move.action.label}"
    yield "```\n"
    yield "| 状态 | 操作 | 角色 | 之后 | 还须满足 |\n|---|---|---|---|---|"
    for source, move in moves:
        roles = "、".join(role.label for role in Role if role in move.roles)
        yield (
            f"| {source.label} | {move.action.label} | {roles} | {move.target.label} "
            f"| {move.condition or '—'} |"
        )
    yield ""


if __name__ == "__main__":
    print(page(), end="")
