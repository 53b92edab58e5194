from collections.abc import Mapping
from enum import StrEnum
from itertools import product

import pytest

from school_portal.domain.account import (
    ACCOUNT_WORKFLOW,
    OPENING_WORKFLOW,
    AccountAction,
    AccountState,
    OpeningAction,
    OpeningState,
)
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
from school_portal.domain.permission import (
    PERMISSION_WORKFLOW,
    PermissionAction,
    PermissionState,
)
from school_portal.domain.roster import ROSTER_WORKFLOW, RosterAction, RosterState
from school_portal.domain.school_key import KEY_WORKFLOW, KeyAction, KeyState
from school_portal.domain.specialty_evaluation import (
    EVALUATION_WORKFLOW,
    LINE_WORKFLOW,
    EvaluationAction,
    EvaluationState,
    LineAction,
    LineState,
)
from school_portal.domain.workflow import Role, Transition, TransitionRefused, Workflow

# One line a move: state action role > state. Roles: w worker, s school, a body or centre,
# r a receiving office, c the centre, o an office or the centre, k the centre or the school's key,
# t the centre or a worker.
ROSTER = """
uploaded read w > reading
reading read w > reading
reading finish w > checked
checked confirm s > confirmed
confirmed apply w > applied
confirmed recheck w > checked
reading fail w > failed
uploaded discard s > discarded
reading discard s > discarded
checked discard s > discarded
confirmed discard s > discarded
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
EVALUATION = """
draft submit s > submitted
returned resubmit s > submitted
submitted withdraw s > withdrawn
returned withdraw s > withdrawn
submitted accept r > accepted
submitted return r > returned
submitted refuse r > not_accepted
accepted convene c > under_panel_review
under_panel_review conclude w > opinion_recorded
opinion_recorded seal o > opinion_recorded
opinion_recorded complete w > sealed
"""
LINE = """
pending approve w > approved
pending refuse w > refused
approved set_end o > approved
approved revoke o > revoked
approved expire w > expired
"""
OPENING = """
draft request s > requested
returned request s > requested
requested receive_original c > original_received
original_received approve c > approved
requested return c > returned
original_received return c > returned
draft withdraw s > withdrawn
requested withdraw s > withdrawn
returned withdraw s > withdrawn
"""
ACCOUNT = """
not_open approve c > approved
closed approve c > approved
approved open k > open
open suspend c > suspended
suspended resume c > open
approved close c > closed
open close c > closed
suspended close c > closed
"""
PERMISSION = """
requested grant c > granted
requested refuse c > refused
granted revoke c > revoked
requested withdraw s > withdrawn
"""
KEY = """
not_in_use use w > accepted
not_in_use renew w > accepted
waiting renew w > accepted
not_in_use wait w > waiting
waiting accept c > accepted
refused accept c > accepted
waiting refuse c > refused
accepted stop t > not_in_use
waiting stop t > not_in_use
"""
ROLES = {
    "w": [Role.SYSTEM],
    "s": [Role.SCHOOL],
    "a": [Role.BODY, Role.CENTRE],
    "r": [Role.TEACHING_OFFICE, Role.VOCATIONAL_DIVISION],
    "c": [Role.CENTRE],
    "o": [Role.TEACHING_OFFICE, Role.VOCATIONAL_DIVISION, Role.CENTRE],
    "k": [Role.CENTRE, Role.SCHOOL],
    "t": [Role.CENTRE, Role.SYSTEM],
}


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
        (EVALUATION_WORKFLOW, EVALUATION, EvaluationState, EvaluationAction),
        (LINE_WORKFLOW, LINE, LineState, LineAction),
        (OPENING_WORKFLOW, OPENING, OpeningState, OpeningAction),
        (ACCOUNT_WORKFLOW, ACCOUNT, AccountState, AccountAction),
        (PERMISSION_WORKFLOW, PERMISSION, PermissionState, PermissionAction),
        (KEY_WORKFLOW, KEY, KeyState, KeyAction),
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
        Workflow("两可", moves)
