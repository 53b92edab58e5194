"""Permissions asked for, granted, refused, revoked, and the plan after each (rulebook 4, 6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.facts import Basis, Node
from school_portal.domain.levels import Level
from school_portal.domain.permission import (
    PERMISSION_WORKFLOW,
    PermissionAction,
    PermissionState,
)
from school_portal.domain.projects import Project
from school_portal.domain.roster import Route
from school_portal.domain.workflow import Role
from school_portal.models import (
    BodyProject,
    EvaluationLine,
    Permission,
    School,
    Specialty,
)
from school_portal.services import permissions
from school_portal.services.access import Actor, NotFound, Refused
from school_portal.services.grounds import grounds
from school_portal.services.portal import Portal
from school_portal.services.transitions import history
from tests.conftest import FakeClock
from tests.factories.accounts import CENTRE, DRINKS_4, acting, asked_for
from tests.factories.operation import DRINKS, NURSE, Operation, running, student
from tests.factories.visitor import user
from tests.integration.test_account_openings import codes
from tests.integration.test_rosters import saved

TODAY = date(2026, 10, 15)
DRINKS_3 = Project("4-03-02-10", "调饮师", "", Level.SENIOR)
NURSE_4 = Project("4-14-01-02", "医疗护理员", "", Level.INTERMEDIATE)


@pytest.fixture
def operation(session: Session) -> Operation:
    """Evaluated schools with a student each, and no permission; 调饮师 3 and 护理员 4 are filed."""
    made = running(session)
    session.execute(sa.delete(Permission))
    for level, project in ((3, DRINKS), (4, NURSE)):
        carried = BodyProject(body_id=made.social.id, basis=Basis.STANDARD, level=level, **project)
        session.add(carried)
    session.commit()
    return made


def asked(session: Session, portal: Portal, school: School, *projects: Project) -> list[Permission]:
    """The school's lines, asked for at a social body."""
    made = asked_for(session, portal, school, *projects)
    session.commit()
    return made.lines


def test_the_plan_after_each_decision(
    session: Session, portal: Portal, operation: Operation, clock: FakeClock
) -> None:
    school = operation.school
    saved(session, portal, school, [student(1)])
    assert codes(session, portal, school) == {"PERMITTED"}
    (line,) = asked(session, portal, school, DRINKS_4)
    assert codes(session, portal, school) == {"PERMITTED"}
    permissions.grant(session, portal, CENTRE, [line.id])
    assert (line.state, line.starts_on) == (PermissionState.GRANTED, TODAY)
    assert codes(session, portal, school) == set()
    assert codes(session, portal, school, TODAY - timedelta(days=1)) == {"PERMITTED"}
    clock.now += timedelta(days=10)
    permissions.revoke(session, portal, CENTRE, [line.id], "评估结论撤销。")
    assert codes(session, portal, school) == {"PERMITTED"}
    assert codes(session, portal, school, TODAY + timedelta(days=9)) == set()


def test_granted_and_revoked_on_one_day_is_never_in_force(
    session: Session, portal: Portal, operation: Operation
) -> None:
    school = operation.school
    saved(session, portal, school, [student(1)])
    (line,) = asked(session, portal, school, DRINKS_4)
    permissions.grant(session, portal, CENTRE, [line.id])
    permissions.revoke(session, portal, CENTRE, [line.id], "误开通。")
    assert codes(session, portal, school) == {"PERMITTED"}
    (again,) = asked(session, portal, school, DRINKS_4)
    permissions.grant(session, portal, CENTRE, [again.id])
    assert codes(session, portal, school) == set()


def test_one_of_the_opening_data_is_revoked_like_any_other(
    session: Session, portal: Portal, operation: Operation
) -> None:
    school = operation.school
    old = permissions.wanted(school, Route.SKILL_LEVEL, Node.SOCIAL, DRINKS_4)
    old.state, old.starts_on, old.ends_on = PermissionState.GRANTED, date(2025, 11, 1), None
    session.add(old)
    saved(session, portal, school, [student(1)])
    assert codes(session, portal, school) == set()
    permissions.revoke(session, portal, CENTRE, [old.id], "机构备案终止。")
    assert codes(session, portal, school) == {"PERMITTED"}


def test_what_is_refused_or_withdrawn_permits_nothing_and_may_be_asked_for_again(
    session: Session, portal: Portal, operation: Operation
) -> None:
    school = operation.school
    saved(session, portal, school, [student(1)])
    (line,) = asked(session, portal, school, DRINKS_4)
    permissions.refuse(session, portal, CENTRE, [line.id], "材料不全。")
    (line,) = asked(session, portal, school, DRINKS_4)
    permissions.withdraw(session, portal, acting(Role.SCHOOL, school), line)
    assert codes(session, portal, school) == {"PERMITTED"}
    assert asked(session, portal, school, DRINKS_4)


@pytest.mark.parametrize("state", PermissionState)
def test_each_role_does_what_the_table_lists_and_nothing_else(
    session: Session, portal: Portal, operation: Operation, state: PermissionState
) -> None:
    line = permissions.wanted(operation.school, Route.SKILL_LEVEL, Node.SOCIAL, DRINKS_4)
    line.state = state
    session.add(line)
    session.commit()
    for role in Role:
        for action in PermissionAction:
            target = PERMISSION_WORKFLOW.table.get((state, action, role))
            with session.begin_nested() as attempt:
                if target is None:
                    with pytest.raises(Refused):
                        decide(session, portal, acting(role), action, line)
                else:
                    decide(session, portal, acting(role), action, line)
                    assert line.state is target
                attempt.rollback()
            session.refresh(line)


def decide(
    session: Session, portal: Portal, who: Actor, action: PermissionAction, line: Permission
) -> None:
    if action is PermissionAction.GRANT:
        permissions.grant(session, portal, who, [line.id])
    elif action is PermissionAction.WITHDRAW:
        permissions.withdraw(session, portal, who, line)
    else:
        act = getattr(permissions, action.value)
        act(session, portal, who, [line.id], "理由。")


def test_what_was_asked_for_or_granted_is_not_asked_for_again(
    session: Session, portal: Portal, operation: Operation
) -> None:
    (line,) = asked(session, portal, operation.school, DRINKS_4)
    with pytest.raises(Refused, match="待审核"):
        asked(session, portal, operation.school, DRINKS_4)
    permissions.grant(session, portal, CENTRE, [line.id])
    with pytest.raises(Refused, match="已经开通"):
        asked(session, portal, operation.school, DRINKS_4)
    assert asked(session, portal, operation.other, DRINKS_4)


def test_only_projects_of_a_body_of_that_type_in_force(
    session: Session, portal: Portal, operation: Operation
) -> None:
    def told(node: Node, *projects: Project) -> list[str]:
        school = operation.school
        return permissions.problems(session, school, node, projects, portal.today())

    assert told(Node.SOCIAL, DRINKS_4) == []
    (text,) = told(Node.EMPLOYER, DRINKS_4)
    assert "用人单位等级认定" in text
    assert told(Node.SOCIAL) == ["请至少选择一项职业（工种）与等级。"]
    operation.social.filed_until = date(2026, 10, 14)
    (text,) = told(Node.SOCIAL, DRINKS_4)
    assert "没有备案有效" in text


@pytest.mark.parametrize(
    "levels, allowed", [("secondary", False), ("higher", True), ("secondary,higher", True)]
)
def test_the_cap_is_that_of_the_schools_highest_training_level(
    session: Session, portal: Portal, operation: Operation, levels: str, allowed: bool
) -> None:
    operation.school.training_levels = levels
    if allowed:
        assert asked(session, portal, operation.school, DRINKS_3)
    else:
        with pytest.raises(Refused, match="沪人社职〔2021〕401号 一；沪职鉴中心〔2021〕17号 一"):
            asked(session, portal, operation.school, DRINKS_3)


def test_above_the_cap_is_never_granted(
    session: Session, portal: Portal, operation: Operation
) -> None:
    line = permissions.wanted(operation.school, Route.SKILL_LEVEL, Node.SOCIAL, DRINKS_3)
    session.add(line)
    session.flush()
    with pytest.raises(Refused, match="最高等级四级/中级工"):
        permissions.grant(session, portal, CENTRE, [line.id], confirmed_without_basis=True)
    with pytest.raises(Refused, match="最高等级四级/中级工"):
        permissions.grant_qualification(session, portal, CENTRE, operation.school, [DRINKS_3], True)


def test_what_each_line_rests_on(session: Session, portal: Portal, operation: Operation) -> None:
    lines = asked(session, portal, operation.school, DRINKS_4, NURSE_4)
    evaluated, bare = grounds(session, lines, TODAY)
    assert [one.line.specialty.name for one in evaluated.lines] == ["中餐烹饪"]
    assert [(one.number, list(one.seals)) for one in evaluated.lines] == [(None, [])]
    assert [body.name for body in evaluated.bodies] == ["示例社会培训评价组织"]
    assert (list(bare.lines), list(bare.bodies)) == ([], [operation.social])
    line = session.scalars(
        sa.select(EvaluationLine).join(Specialty).where(Specialty.school_id == operation.school.id)
    ).one()
    line.ends_on = TODAY - timedelta(days=1)
    assert not grounds(session, lines, TODAY)[0].lines


def test_without_an_evaluation_it_is_granted_once_that_is_confirmed(
    session: Session, portal: Portal, operation: Operation
) -> None:
    evaluated, bare = asked(session, portal, operation.school, DRINKS_4, NURSE_4)
    ids = [evaluated.id, bare.id]
    with pytest.raises(Refused, match="没有有效的评估结论"):
        permissions.grant(session, portal, CENTRE, ids)
    assert evaluated.state is PermissionState.REQUESTED
    permissions.grant(session, portal, CENTRE, ids, confirmed_without_basis=True)
    assert {evaluated.state, bare.state} == {PermissionState.GRANTED}
    kept = [history(session, one.subject)[0].detail for one in (evaluated, bare)]
    assert kept == [{"without_basis": False}, {"without_basis": True}]


def test_one_stale_line_stops_all_and_who_and_when_is_said(
    session: Session, portal: Portal, operation: Operation
) -> None:
    colleague = user(session, portal, "wang", role=Role.CENTRE)
    first, second = asked(session, portal, operation.school, DRINKS_4, NURSE_4)
    permissions.refuse(session, portal, Actor.of(colleague), [first.id], "材料不全。")
    session.commit()
    with pytest.raises(Refused, match="张老师已于 2026-10-15 10:00 进行“不予开通”"):
        permissions.grant(session, portal, CENTRE, [first.id, second.id], True)
    assert second.state is PermissionState.REQUESTED


def test_lines_that_are_not_there_decide_nothing(
    session: Session, portal: Portal, operation: Operation
) -> None:
    (line,) = asked(session, portal, operation.school, DRINKS_4)
    with pytest.raises(NotFound):
        permissions.grant(session, portal, CENTRE, [line.id, line.id + 1])
    with pytest.raises(Refused, match="没有选中"):
        permissions.grant(session, portal, CENTRE, [])
    assert line.state is PermissionState.REQUESTED


def test_the_centre_opens_the_qualification_route_itself(
    session: Session, portal: Portal, operation: Operation
) -> None:
    school = operation.school
    saved(session, portal, school, [student(1, 申报事项="职业资格鉴定")])
    assert codes(session, portal, school) == {"PERMITTED"}
    (line,) = permissions.grant_qualification(session, portal, CENTRE, school, [DRINKS_4])
    assert (line.node, line.request_id, line.starts_on) == (None, None, TODAY)
    assert codes(session, portal, school) == set()
    with pytest.raises(Refused, match="已经开通"):
        permissions.grant_qualification(session, portal, CENTRE, school, [DRINKS_4])
    carried_by_nobody = replace(DRINKS_4, code="4-99-99-99")
    with pytest.raises(Refused):
        permissions.grant_qualification(
            session, portal, CENTRE, school, [carried_by_nobody], confirmed_without_basis=True
        )
