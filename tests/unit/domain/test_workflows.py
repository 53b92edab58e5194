from collections.abc import Mapping
from enum import StrEnum
from itertools import product

import pytest

from school_portal.domain.group_application import (
    APPLICATION_WORKFLOW,
    HOLDING_MEMBER_STATES,
    MEMBER_WORKFLOW,
    OPEN_STATES,
    ApplicationAction,
    ApplicationState,
    MemberAction,
    MemberState,
)
from school_portal.domain.roster import ROSTER_WORKFLOW, RosterAction, RosterState
from school_portal.domain.workflow import Role, Transition, TransitionRefused, Workflow

# One line a move: state action role > state. Roles: w worker, s school, a body or centre.
ROSTER = """
uploaded read w > reading
reading read w > reading
reading finish w > checked
checked confirm s > confirmed
confirmed apply w > applied
confirmed recheck w > checked
uploaded fail w > failed
reading fail w > failed
confirmed fail w > failed
uploaded discard s > discarded
reading discard s > discarded
checked discard s > discarded
failed discard s > discarded
applied undo s > undone
"""
APPLICATION = """
draft sign s > signed
signed revise s > draft
returned revise s > draft
signed submit s > submitted
submitted accept a > accepted
submitted return a > returned
accepted schedule a > scheduled
scheduled record_results a > results_recorded
results_recorded close a > closed
draft withdraw s > withdrawn
signed withdraw s > withdrawn
submitted withdraw s > withdrawn
accepted withdraw s > withdrawn
returned withdraw s > withdrawn
"""
MEMBER = """
included return a > returned
included withdraw s > withdrawn
included replace s > replaced
included pass a > passed
included fail a > failed
"""
ROLES = {"w": [Role.SYSTEM], "s": [Role.SCHOOL], "a": [Role.BODY, Role.CENTRE]}


def moves(table: str) -> dict[tuple[str, str, Role], str]:
    lines = [line.split() for line in table.split("\n") if line]
    return {
        (state, action, role): target
        for state, action, roles, _, target in lines
        for role in ROLES[roles]
    }


CASES = [
    pytest.param(workflow, moves(table), state, action, role, id=f"{state}-{action}-{role}")
    for workflow, table, states, actions in (
        (ROSTER_WORKFLOW, ROSTER, RosterState, RosterAction),
        (APPLICATION_WORKFLOW, APPLICATION, ApplicationState, ApplicationAction),
        (MEMBER_WORKFLOW, MEMBER, MemberState, MemberAction),
    )
    for state, action, role in product(states, actions, Role)
]


@pytest.mark.parametrize(("workflow", "allowed", "state", "action", "role"), CASES)
def test_every_state_action_and_role(
    workflow: Workflow[StrEnum, StrEnum],
    allowed: Mapping[tuple[str, str, Role], str],
    state: StrEnum,
    action: StrEnum,
    role: Role,
) -> None:
    target = allowed.get((state, action, role))
    assert (action in workflow.actions(state, role)) is (target is not None)
    if target is None:
        with pytest.raises(TransitionRefused):
            workflow.after(state, action, role)
    else:
        assert workflow.after(state, action, role) == target


def test_open_runs_from_draft_to_scheduled() -> None:
    closed = {
        ApplicationState.RESULTS_RECORDED,
        ApplicationState.CLOSED,
        ApplicationState.WITHDRAWN,
    }
    assert set(ApplicationState) - OPEN_STATES == closed
    assert set(HOLDING_MEMBER_STATES) == {MemberState.INCLUDED}


def test_a_table_with_two_answers_is_refused() -> None:
    moves = [
        Transition(
            frozenset({MemberState.INCLUDED}),
            MemberAction.RETURN,
            frozenset({Role.BODY}),
            target,
        )
        for target in (MemberState.RETURNED, MemberState.WITHDRAWN)
    ]
    with pytest.raises(ValueError, match="two transitions"):
        Workflow(moves)
