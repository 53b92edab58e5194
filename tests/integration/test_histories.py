"""What was done stands where it concerns somebody: nothing that the centre may see is missing."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from school_portal.domain.facts import Basis
from school_portal.domain.levels import Level
from school_portal.domain.projects import Project
from school_portal.domain.workflow import Role
from school_portal.models import AuditEvent, BodyProject
from school_portal.services import (
    account_openings,
    experts,
    extra_windows,
    histories,
    panels,
    permissions,
    school_accounts,
    school_keys,
    sealing,
)
from school_portal.services.portal import Portal
from tests.conftest import FakeClock
from tests.factories.accounts import CENTRE, acting, asked_for, drafted, requested
from tests.factories.evaluation import expert, judge, officer, under_review
from tests.factories.evaluations import NURSE_5, Desk, carry_more
from tests.factories.operation import DRINKS, Operation, running
from tests.factories.signing import waiting_key
from tests.factories.visitor import Visitor

DRINKS_5 = Project("4-03-02-10", "调饮师", "", Level.JUNIOR)


@pytest.fixture
def operation(session: Session) -> Operation:
    made = running(session)
    carry_more(session, made)
    more = BodyProject(body_id=made.social.id, basis=Basis.STANDARD, level=5, **DRINKS)
    session.add(more)
    session.commit()
    return made


def at(app: Flask, session: Session, portal: Portal, role: Role) -> Visitor:
    """Somebody of the office; the test's own transaction is over."""
    officer(session, portal, role)
    session.commit()
    visitor = Visitor(app)
    visitor.sign_in(role.value)
    return visitor


def centre(app: Flask, session: Session, portal: Portal) -> Visitor:
    return at(app, session, portal, Role.CENTRE)


def told(page: str) -> str:
    """The page's 办理记录, without marks."""
    section = page.split("<h2>办理记录</h2>")[1].split("</section>", maxsplit=1)[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", section))


def test_a_school_s_page_tells_all_that_the_centre_may_see(
    app: Flask, session: Session, portal: Portal, clock: FakeClock, operation: Operation
) -> None:
    school, actor = operation.school, officer(session, portal, Role.CENTRE)
    asked = asked_for(session, portal, school, NURSE_5, DRINKS_5)
    kept, refused = (one.id for one in asked.lines)
    clock.now += timedelta(minutes=1)
    permissions.refuse(session, portal, actor, [refused], "没有开展。")
    permissions.grant(session, portal, actor, [kept], confirmed_without_basis=True)
    clock.now += timedelta(minutes=1)
    permissions.revoke(session, portal, actor, [kept], "不再开展。")
    school_keys.accept(session, portal, actor, waiting_key(session, school, clock.now))
    school_accounts.suspend(session, portal, actor, school, "核查中。")
    teaching, today = officer(session, portal, Role.TEACHING_OFFICE), portal.today()
    window = extra_windows.open_(session, portal, teaching, today, today, "因故延期。", school)
    extra_windows.end(session, portal, teaching, window.id)
    change = requested(session, portal, school)
    desk = Desk.of(session, portal, school)
    case = desk.complete()
    desk.submit(case)

    address, numbers = f"/centre/schools/{school.id}", [asked.number, change.number, case.number]
    page = told(centre(app, session, portal).text(address))
    assert "还没有" not in page
    assert all(str(number) in page for number in numbers)
    for label, *more in (
        ("申请权限", NURSE_5.label),
        ("申报权限：不予开通", "没有开展。", DRINKS_5.label),
        ("申报权限：开通", "张老师，市职业技能鉴定中心", NURSE_5.label),
        ("申报权限：撤销", "不再开展。"),
        ("学校密钥：核准", "0001 0203 0405 0607"),
        ("学校账户：暂停", "核查中。"),
        ("增开受理期", "张老师，市教委教研室", "因故延期。"),
        ("提前结束受理期",),
        ("开户与变更：提交申请",),
        ("专业评估：提交",),
    ):
        assert label in page
        for one in more:
            assert one in page, (label, one)


def test_drafts_and_other_schools_are_no_part_of_it(
    session: Session, portal: Portal, operation: Operation
) -> None:
    requested(session, portal, operation.other)
    account_openings.withdraw(
        session,
        portal,
        acting(Role.SCHOOL, operation.school),
        drafted(session, portal, operation.school),
    )
    assert histories.of_school(session, operation.school) == []


def test_what_is_decided_together_is_one_act(
    session: Session, portal: Portal, clock: FakeClock, operation: Operation
) -> None:
    asked = asked_for(session, portal, operation.school, NURSE_5, DRINKS_5)
    later = iter(clock.now + timedelta(seconds=number) for number in range(1, 99))
    moving = replace(portal, clock=lambda: next(later))
    ids = [one.id for one in asked.lines]
    permissions.grant(session, moving, CENTRE, ids, confirmed_without_basis=True)
    granted, requested_ = histories.of_school(session, operation.school)
    assert granted.label == "申报权限：开通"
    assert set(granted.about) == {NURSE_5.label, DRINKS_5.label}
    assert requested_.about[0] == asked.number


def test_many_acts_are_folded(
    app: Flask, session: Session, portal: Portal, clock: FakeClock, operation: Operation
) -> None:
    actor = officer(session, portal, Role.CENTRE)
    for number in range(6):
        for act in (school_accounts.suspend, school_accounts.resume):
            clock.now += timedelta(minutes=1)
            act(session, portal, actor, operation.school, f"第 {number} 次")
    address = f"/centre/schools/{operation.school.id}"
    page = centre(app, session, portal).text(address)
    newest, older = page.split("<summary>更早的 2 条</summary>")
    assert "第 5 次" in newest
    assert "第 0 次" in older


def test_an_evaluation_tells_of_its_panel_and_of_its_lines_since(
    app: Flask, session: Session, portal: Portal, clock: FakeClock, operation: Operation
) -> None:
    desk = Desk.of(session, portal, operation.school)
    case, actor = desk.complete(), officer(session, portal, Role.CENTRE)
    desk.submit(case)
    pool = [expert(session, portal, f"e{number}") for number in range(4)]
    members = list(under_review(session, portal, case, pool[:3]))
    panel = members[0].panel
    panels.recuse(session, portal, actor, members[2], "与学校合作编写教材")
    panels.replace(session, portal, actor, members[2], pool[3].id)
    session.commit()
    for member in panels.active(panel):
        judge(session, portal, member, True)
    for office in (Role.TEACHING_OFFICE, Role.CENTRE):
        sealing.seal(session, portal, officer(session, portal, office), case)
    line = case.lines[0]
    sealing.set_end(session, portal, actor, line, portal.today(), "只到今天。")
    of_case, of_line = f"/office/evaluations/{case.id}", f"/office/lines/{line.id}"
    visitor = centre(app, session, portal)
    page = told(visitor.text(of_case))
    for one in (
        "评估专家回避 2026-10-15（周四）10:00 e2 与学校合作编写教材",
        "接替评估专家 · 张老师，市职业技能鉴定中心 2026-10-15（周四）10:00 e3",
        "提交专家意见 · e0，评估专家",
        "盖章齐全",
        "评估结论：设定失效日期",
        "只到今天。",
    ):
        assert one in page
    page = told(visitor.text(of_line))
    assert "专业评估：盖章" in page
    assert "设定失效日期" in page


def test_records_of_people_tell_from_the_audit_trail(
    app: Flask, session: Session, portal: Portal, operation: Operation
) -> None:
    made = expert(session, portal, "e0")
    actor = officer(session, portal, Role.CENTRE)
    profile = experts.Profile("示例学院", "", ("调饮师",))
    experts.edit(session, portal, actor, made, profile)
    of_expert, of_user = f"/office/experts/{made.id}", f"/settings/users/{made.user_id}"
    visitor, admin = centre(app, session, portal), at(app, session, portal, Role.ADMIN)
    assert "修改评估专家 · 张老师，市职业技能鉴定中心" in told(visitor.text(of_expert))
    assert "新建用户 · 命令行" in told(admin.text(of_user))
    admin.post(f"{of_user}/disable")
    assert "停用用户 · 张老师，系统管理员" in told(admin.text(of_user))
    session.execute(sa.update(AuditEvent).values(actor="user:x"))
    session.commit()
    assert "还没有" in told(visitor.text(of_expert))  # damaged: passed over


def test_a_request_for_permissions_has_a_page_of_its_own(
    app: Flask, session: Session, portal: Portal, operation: Operation
) -> None:
    asked = asked_for(session, portal, operation.school, NURSE_5, DRINKS_5)
    address, ids = f"/centre/permissions/requests/{asked.id}", [one.id for one in asked.lines]
    visitor = centre(app, session, portal)
    assert f'href="{address}"' in visitor.text("/")
    page = visitor.text(address)
    assert "待审核 2 项" in page
    assert "今天" in page
    assert "没有有效的评估结论" in page
    assert all(f'name="id" value="{one}" checked' in page for one in ids)
    visitor.post("/centre/permissions/decide", action="grant", id=ids[0], confirmed="yes")
    assert "待审核 1 项" in visitor.text(address)
    visitor.post("/centre/permissions/decide", action="refuse", id=ids[1], reason="没有开展。")
    page = visitor.text(address)
    assert "已办结" in page
    assert f'href="{address}/notice.pdf"' in page
    assert 'name="id"' not in page
    assert "不予开通" in told(page)
    assert "开通 · 张老师，市职业技能鉴定中心" in told(page)
