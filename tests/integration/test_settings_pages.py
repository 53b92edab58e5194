"""The settings' pages, the work list and the notices, as their readers use them."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from school_portal.domain.specialty_evaluation import (
    EVALUATION_WORKFLOW,
    EvaluationAction,
    EvaluationState,
)
from school_portal.domain.workflow import Role
from school_portal.models import ExtraWindow, Notice, PolicyChange, User, WorkdayYear
from school_portal.services import transitions
from school_portal.services.portal import Portal
from tests.factories.operation import Operation, running
from tests.factories.settings import evaluation
from tests.factories.visitor import Visitor, user
from tests.integration.test_settings import YEAR_2027

SignedIn = Callable[[Role], Visitor]


@pytest.fixture
def operation(session: Session) -> Operation:
    return running(session)


@pytest.fixture
def signed_in(app: Flask, session: Session, portal: Portal, operation: Operation) -> SignedIn:
    """Somebody of that role, at a browser of their own."""

    def come(role: Role) -> Visitor:
        school = operation.school if role is Role.SCHOOL else None
        user(session, portal, role.value, role=role, school=school)
        visitor = Visitor(app)
        visitor.sign_in(role.value)
        return visitor

    return come


@pytest.mark.parametrize(
    "path, readers",
    [
        ("/settings/policies", {Role.BUREAU, Role.CENTRE, Role.ADMIN}),
        ("/settings/policies/once", {Role.BUREAU, Role.CENTRE, Role.ADMIN}),
        (
            "/settings/windows",
            {Role.TEACHING_OFFICE, Role.VOCATIONAL_DIVISION, Role.CENTRE, Role.BUREAU, Role.ADMIN},
        ),
        ("/settings/workdays", {Role.ADMIN}),
        ("/settings/ca", {Role.ADMIN}),
        ("/settings/mail", {Role.ADMIN}),
        ("/settings/notices", set(Role)),
        ("/settings/profile", set(Role)),
    ],
)
def test_who_may_open_which(signed_in: SignedIn, path: str, readers: set[Role]) -> None:
    for role in (
        Role.SCHOOL, Role.TEACHING_OFFICE, Role.VOCATIONAL_DIVISION, Role.CENTRE, Role.EXPERT,
        Role.BUREAU, Role.ADMIN,
    ):  # fmt: skip
        assert signed_in(role).get(path).status_code == (200 if role in readers else 403), role


def test_the_bureau_changes_a_policy_and_all_see_it(session: Session, signed_in: SignedIn) -> None:
    bureau, centre = signed_in(Role.BUREAU), signed_in(Role.CENTRE)
    path = "/settings/policies/group_size"
    assert "每份团体申报人数上限" in centre.text("/settings/policies")
    assert centre.post(path, value="100", reason="试行").status_code == 403
    answer = bureau.post(path, value="0", reason="试行")
    assert answer.status_code == 422
    assert "1 至 10000" in answer.get_data(as_text=True)
    assert bureau.post(path, value="100", reason="长" * 501).status_code == 422
    assert "立即生效" in bureau.post(path, value="100", reason="试行").get_data(as_text=True)
    text = centre.text(path)
    assert "200 改为 100" in text
    assert "试行" in text
    assert session.query(PolicyChange).count() == 1
    assert bureau.get("/settings/policies/nothing").status_code == 404


def test_a_switch_is_turned_off(session: Session, signed_in: SignedIn) -> None:
    bureau = signed_in(Role.BUREAU)
    assert 'selected value="是"' in bureau.text("/settings/policies/once")
    bureau.post("/settings/policies/once", value="否", reason="试行")
    assert 'selected value="否"' in bureau.text("/settings/policies/once")


def test_an_office_opens_a_window_and_the_school_sees_it(
    session: Session, operation: Operation, signed_in: SignedIn
) -> None:
    school_id = str(operation.school.id)
    office, school = signed_in(Role.TEACHING_OFFICE), signed_in(Role.SCHOOL)
    assert "2026-10-31（周六）24:00 截止，" in school.text("/school/")
    days: dict[str, Any] = {
        "starts_on": "2026-11-01",
        "ends_on": "2026-11-10",
        "reason": "设备故障",
    }
    wrong = office.post("/settings/windows", school=school_id, **{**days, "ends_on": "2026-10-01"})
    assert wrong.status_code == 422
    assert "早于开始日期" in wrong.get_data(as_text=True)
    done = office.post("/settings/windows", school=school_id, **days)
    assert "已增开受理期" in done.get_data(as_text=True)
    assert "2026-11-10（周二）24:00 截止" in school.text("/school/")
    made = session.query(ExtraWindow.id).scalar()
    session.commit()
    assert "提前结束" in office.post(f"/settings/windows/{made}/end").get_data(as_text=True)
    assert "2026-10-31（周六）24:00 截止" in school.text("/school/")


def test_a_year_is_loaded_from_a_file_or_typed(session: Session, signed_in: SignedIn) -> None:
    admin = signed_in(Role.ADMIN)
    assert "2027 年的节假日安排尚未载入" in admin.text("/settings/workdays")
    assert "不能推算" in admin.text("/settings/workdays?year=2031")
    form: dict[str, Any] = {"year": "2027", "source": "通知"}
    wrong = admin.post("/settings/workdays", days="2027-01-01 放假\n春节", **form)
    assert wrong.status_code == 422
    assert "第 2 行无法识别" in wrong.get_data(as_text=True)
    file = (BytesIO(YEAR_2027.encode()), "2027.csv")
    done = admin.post("/settings/workdays", days="", file=file, **form)
    assert "已载入 2027 年" in done.get_data(as_text=True)
    assert "2027-02-07（周日） 上班" in admin.text("/settings/workdays?year=2027")
    assert session.query(WorkdayYear).count() == 1


def test_notices_are_counted_read_and_lead_on(
    session: Session, portal: Portal, operation: Operation, signed_in: SignedIn
) -> None:
    school = signed_in(Role.SCHOOL)
    user(session, portal, "li", school=operation.other)
    stranger = Visitor(school.app)
    stranger.sign_in("li")
    case = evaluation(session, portal, operation.school, EvaluationState.SUBMITTED, "PG2026000001")
    transitions.apply(
        session, EVALUATION_WORKFLOW, case, EvaluationAction.ACCEPT, Role.TEACHING_OFFICE,
        at=portal.clock(),
    )  # fmt: skip
    path = f'href="/school/evaluations/{case.id}"'
    notice_id = session.query(Notice.id).scalar()
    session.commit()
    assert '1<span class="visually-hidden"> 条未读' in school.text("/school/")
    assert path in school.text("/settings/notices")
    assert stranger.post(f"/settings/notices/{notice_id}/read").status_code == 404
    assert "标为已读" not in school.post(f"/settings/notices/{notice_id}/read").get_data(
        as_text=True
    )
    assert "条未读" not in school.text("/school/")


def test_one_sets_ones_own_address(session: Session, signed_in: SignedIn, portal: Portal) -> None:
    expert, admin = signed_in(Role.EXPERT), signed_in(Role.ADMIN)
    wrong = expert.post("/settings/profile", email="somebody")
    assert wrong.status_code == 422
    assert "格式不对" in wrong.get_data(as_text=True)
    done = expert.post("/settings/profile", email="somebody@example.cn")
    assert "已保存" in done.get_data(as_text=True)
    assert 'value="somebody@example.cn"' in expert.text("/settings/profile")
    sealed = session.query(User.email_sealed).filter_by(username="expert").scalar()
    session.commit()
    assert b"somebody" not in sealed
    assert "SCHOOL_PORTAL_SMTP_URL" in admin.text("/settings/mail")


def test_an_office_finds_its_work_or_is_told_that_there_is_none(
    session: Session, portal: Portal, operation: Operation, signed_in: SignedIn
) -> None:
    office = signed_in(Role.TEACHING_OFFICE)
    assert "没有待办事项" in office.text("/")
    case = evaluation(session, portal, operation.school, EvaluationState.SUBMITTED, "PG2026000001")
    number = case.id
    session.commit()
    text = office.text("/")
    assert f'href="/office/evaluations/{number}"' in text
    assert "审查是否受理" in text
    assert "示例中等职业学校" in text
