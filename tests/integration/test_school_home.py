"""A school's home: what is done, what is left and how much, what is due next."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from school_portal.blueprints.school.steps import Step, following, steps
from school_portal.domain.account import AccountState, OpeningState
from school_portal.domain.permission import PermissionState
from school_portal.domain.roster import RosterState
from school_portal.domain.specialty_evaluation import EvaluationState
from school_portal.models import EvaluationLine, Permission, Roster, School
from school_portal.services import applications, school_desk, standing
from school_portal.services.access import Actor
from school_portal.services.portal import Portal
from school_portal.services.standing import Standing
from tests.factories.accounts import asked_for
from tests.factories.evaluations import NURSE_5, Desk, carry_more
from tests.factories.operation import Operation, running, student
from tests.factories.visitor import Visitor, user, work
from tests.integration.test_rosters import checked, saved

# A school of which nothing is asked any more, and one that was just opened.
ALL_DONE = Standing(
    evaluations={},
    evaluated=2,
    unevaluated=0,
    account=AccountState.OPEN,
    opening=None,
    permitted=2,
    asked=0,
    unpermitted=0,
    rosters=(),
    students=10_000,
    left=0,
    generated=True,
    drafts=0,
    handed_in=40,
)
NEW = replace(
    ALL_DONE, evaluated=0, unevaluated=2, account=AccountState.NOT_OPEN, permitted=0,
    students=0, generated=False, handed_in=0,
)  # fmt: skip
CHECKED = Roster(id=7, file_name="名册.xlsx", state=RosterState.CHECKED)
READING = Roster(id=7, file_name="名册.xlsx", state=RosterState.READING)
DRAFT, RETURNED = EvaluationState.DRAFT, EvaluationState.RETURNED
SUBMITTED = EvaluationState.SUBMITTED


def shown(app: Flask, now: Standing) -> tuple[list[Step], Step]:
    with app.test_request_context("/school/"):
        listed = steps(now)
        return listed, following(listed)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "start, changes, title, told",
    [
        (NEW, {}, "专业评估", "还没有有效的评估结论"),
        (NEW, {"evaluations": {DRAFT: 1}}, "专业评估", "有 1 份草稿还没有提交"),
        (NEW, {"evaluations": {SUBMITTED: 1}}, "开户", "请填写开户申请表"),
        (NEW, {"evaluated": 1}, "开户", "请填写开户申请表"),
        (NEW, {"evaluated": 1, "opening": OpeningState.RETURNED}, "开户", "已退回"),
        (NEW, {"evaluated": 1, "opening": OpeningState.REQUESTED}, "开户", "原件交到窗口"),
        (NEW, {"evaluated": 1, "opening": OpeningState.ORIGINAL_RECEIVED}, "上传并确认名册", ""),
        (NEW, {"evaluated": 1, "account": AccountState.APPROVED}, "上传并确认名册", "名册模板"),
        (ALL_DONE, {"account": AccountState.SUSPENDED}, "开户", "已停用"),
        (ALL_DONE, {"evaluations": {RETURNED: 2}}, "专业评估", "有 2 份申请退回补正"),
        (ALL_DONE, {"unpermitted": 3}, "申请权限", "还有 3 个评估通过的项目没有申报权限"),
        (ALL_DONE, {"asked": 2}, "申请权限", "2 项等待"),
        (ALL_DONE, {"rosters": [CHECKED]}, "上传并确认名册", "“名册.xlsx”已检查完"),
        (ALL_DONE, {"rosters": [READING]}, "上传并确认名册", "正在处理"),
        (ALL_DONE, {"students": 0, "handed_in": 0}, "上传并确认名册", "名册模板"),
        (ALL_DONE, {"left": 9956, "generated": False}, "生成团体申报", "还有 9,956 名学生未列入"),
        (ALL_DONE, {"left": 9956}, "生成团体申报", "还有 9,956 名学生未列入申报，原因见"),
        (ALL_DONE, {"left": 9956, "drafts": 3}, "签名并提交", "还有 3 份草稿"),
        (ALL_DONE, {"unevaluated": 1}, "专业评估", "还有 1 个专业没有"),
        (ALL_DONE, {}, "签名并提交", "已提交 40 份"),
    ],
)  # fmt: skip
def test_the_next_step_is_the_first_that_is_due(
    app: Flask, start: Standing, changes: dict[str, Any], title: str, told: str
) -> None:
    listed, next_one = shown(app, replace(start, **changes))
    assert (next_one.title, told in next_one.text) == (title, True)
    if changes or start is NEW:
        assert not next_one.done
    else:
        assert all(step.done for step in listed)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "changes, title",
    [
        ({"unevaluated": 1}, "专业评估"),
        ({"account": AccountState.APPROVED}, "开户"),
        ({"asked": 1}, "申请权限"),
        ({"rosters": [READING]}, "上传并确认名册"),
        ({"left": 1}, "生成团体申报"),
        ({"drafts": 1}, "签名并提交"),
    ],
)
def test_a_step_is_done_when_nothing_of_it_is_left(
    app: Flask, changes: dict[str, Any], title: str
) -> None:
    listed, _ = shown(app, replace(ALL_DONE, **changes))
    assert [step.title for step in listed if not step.done] == [title]


@pytest.fixture
def operation(session: Session, portal: Portal) -> Operation:
    made = running(session)
    user(session, portal, "zhang", school=made.school)
    session.commit()
    return made


def now(session: Session, portal: Portal, school: School) -> Standing:
    today = portal.today()
    specialties = school_desk.specialties(session, school, today)
    return standing.standing(session, portal.vault, school, specialties, today)


def test_where_a_school_stands(operation: Operation, session: Session, portal: Portal) -> None:
    school = operation.school
    started = now(session, portal, school)
    assert (started.evaluated, started.unevaluated) == (1, 0)
    assert (started.permitted, started.unpermitted, started.asked) == (1, 0, 0)
    checked(session, portal, school, [student(1)])
    assert [one.state for one in now(session, portal, school).rosters] == [RosterState.CHECKED]
    saved(session, portal, school, [student(1), student(2, **{"毕业年月*": "2029-06"})])
    waiting = now(session, portal, school)
    assert (waiting.students, waiting.left, waiting.generated) == (2, 2, False)
    applications.request_generation(
        session, portal, Actor.operator_at_the_console(school.id), school, portal.today()
    )
    session.commit()
    work(session, portal)
    made = now(session, portal, school)
    assert (made.left, made.generated, made.drafts, made.handed_in) == (1, True, 1, 0)


def test_what_is_evaluated_and_not_permitted_is_counted(
    operation: Operation, session: Session, portal: Portal
) -> None:
    school = operation.school
    carry_more(session, operation)
    specialty = school.specialties[0].id
    session.add(
        EvaluationLine(specialty_id=specialty, starts_on=date(2025, 11, 1), **NURSE_5.columns())
    )
    session.flush()
    assert now(session, portal, school).unpermitted == 1
    asked_for(session, portal, school, NURSE_5)
    assert (now(session, portal, school).unpermitted, now(session, portal, school).asked) == (0, 1)
    session.execute(sa.update(Permission).values(state=PermissionState.REVOKED))
    assert now(session, portal, school).permitted == 0
    assert now(session, portal, school).unpermitted == 2


def test_applications_for_evaluation_are_counted_by_state(
    operation: Operation, session: Session, portal: Portal
) -> None:
    Desk.of(session, portal, operation.school).draft()
    assert now(session, portal, operation.school).evaluations == {DRAFT: 1}


def test_the_page(app: Flask, operation: Operation, session: Session, portal: Portal) -> None:
    saved(session, portal, operation.school, [student(1)])
    session.commit()
    zhang = Visitor(app)
    zhang.sign_in("zhang")
    page = zhang.text("/school/")
    assert "还有 1 名学生未列入申报" in page
    current = page.split('aria-current="step"')[1]
    assert "生成团体申报" in current.split("</li>")[0]
