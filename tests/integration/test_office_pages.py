"""An application's way through the offices' and the experts' pages."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from school_portal.domain.specialty_evaluation import EvaluationState, LineState
from school_portal.domain.workflow import Role
from school_portal.models import EvaluationLine, Expert, SpecialtyEvaluation
from school_portal.services.portal import Portal
from tests.factories.evaluation import expert, judge, officer, under_review
from tests.factories.evaluations import PDF, Desk, carry_more
from tests.factories.operation import Operation, running, uscc
from tests.factories.visitor import PASSWORD, Visitor, user

TEACHING, DIVISION, CENTRE = Role.TEACHING_OFFICE, Role.VOCATIONAL_DIVISION, Role.CENTRE
PHONE = "13800000001"


@pytest.fixture
def operation(session: Session) -> Operation:
    made = running(session)
    carry_more(session, made)
    session.commit()
    return made


@pytest.fixture
def desk(session: Session, portal: Portal, operation: Operation) -> Desk:
    return Desk.of(session, portal, operation.school)


@pytest.fixture
def case(desk: Desk) -> int:
    """The id of an application that was handed in."""
    made = desk.complete()
    desk.submit(made)
    desk.session.commit()
    key = made.id
    desk.session.commit()
    return key


@pytest.fixture
def pool(session: Session, portal: Portal, operation: Operation) -> list[int]:
    made = [expert(session, portal, f"e{number}") for number in range(4)]
    made.append(expert(session, portal, "own", employer=operation.school.name))
    session.flush()
    keys = [one.id for one in made]
    session.commit()
    return keys


def at(app: Flask, session: Session, portal: Portal, role: Role) -> Visitor:
    officer(session, portal, role)
    session.commit()
    visitor = Visitor(app)
    visitor.sign_in(role.value)
    return visitor


def signed(app: Flask, username: str) -> Visitor:
    visitor = Visitor(app)
    visitor.sign_in(username)
    return visitor


def found(session: Session, case: int) -> SpecialtyEvaluation:
    session.expire_all()
    return session.get_one(SpecialtyEvaluation, case)


def test_a_return_and_what_the_resubmission_changed(
    app: Flask, session: Session, portal: Portal, desk: Desk, case: int
) -> None:
    page = f"/office/evaluations/{case}"
    teaching, centre = (at(app, session, portal, role) for role in (TEACHING, CENTRE))
    listed = teaching.text("/office/evaluations")
    assert "示例中等职业学校" in listed
    assert "已提交 · 待受理 1" in listed
    shown = teaching.text(page)
    assert PHONE in shown
    assert "退回补正" in shown
    assert "受理</button>" not in centre.text(page)

    form = teaching.text(f"{page}/return")
    assert "不填为 2026-10-29" in form
    empty = teaching.post(f"{page}/return", reason="请更正联系人")
    assert empty.status_code == 422
    assert "至少勾选一处" in empty.get_data(as_text=True)
    assert "请更正联系人" in empty.get_data(as_text=True)
    teaching.post(f"{page}/return", reason="请更正联系人", fields="contact", until="2026-10-20")
    returned = found(session, case)
    assert returned.correction_until == date(2026, 10, 20)
    assert returned.unlocked is not None
    assert returned.unlocked["fields"] == ["contact"]

    desk.save(returned, contact="丁老师")
    session.commit()
    while_correcting = teaching.text(page)
    assert "丙老师" in while_correcting
    assert "丁老师" not in while_correcting
    assert "请更正联系人" in while_correcting
    desk.submit(found(session, case))
    session.commit()
    again = teaching.text(page)
    assert "第 2 次提交改动了什么" in again
    assert again.index("丙老师") < again.index("丁老师")


def test_from_the_acceptance_to_the_last_seal(
    app: Flask, session: Session, portal: Portal, case: int, pool: list[int]
) -> None:
    page = f"/office/evaluations/{case}"
    teaching, centre = (at(app, session, portal, role) for role in (TEACHING, CENTRE))
    assert "已受理" in teaching.post(f"{page}/accept").get_data(as_text=True)
    assert teaching.post(f"{page}/accept").status_code == 409
    proposal = centre.text(f"{page}/panel")
    assert "own的工作单位是申请学校" in proposal
    assert proposal.count(" checked") == 3
    even = centre.post(f"{page}/panel", experts=pool[:2], due_on="2026-10-30")
    assert even.status_code == 422
    assert "选了 2 名专家" in even.get_data(as_text=True)
    centre.post(f"{page}/panel", experts=pool[:3], due_on="2026-10-30")
    panel = found(session, case).panel
    assert panel is not None
    assert panel.due_on == date(2026, 10, 30)
    for member in list(panel.members):
        judge(session, portal, member, True)
    session.commit()

    sealing = teaching.text(f"{page}/seal")
    assert "共 1 项，通过 1 项，不通过 0 项" in sealing
    assert "还须另一单位盖章" in sealing
    assert "还须另一单位" in teaching.post(f"{page}/seal").get_data(as_text=True)
    assert "这是最后一枚印章" in centre.text(f"{page}/seal")
    assert "印章齐全" in centre.post(f"{page}/seal").get_data(as_text=True)
    sealed = found(session, case)
    assert sealed.state is EvaluationState.SEALED
    assert sealed.lines[0].starts_on == date(2026, 10, 15)


def test_an_employer_like_the_school_waits_for_the_centres_word(
    app: Flask, session: Session, portal: Portal, case: int, pool: list[int]
) -> None:
    page = f"/office/evaluations/{case}"
    teaching, centre = (at(app, session, portal, role) for role in (TEACHING, CENTRE))
    teaching.post(f"{page}/accept")
    alike = session.get_one(Expert, pool[0])
    alike.employer = "上海示例中等职业学校（东校区）烹饪系"
    session.commit()
    proposal = centre.text(f"{page}/panel")
    assert "可能就是申请学校" in proposal
    assert f'href="/office/experts/{pool[0]}"' in proposal
    refused = centre.post(f"{page}/panel", experts=pool[:3], due_on="2026-10-30")
    assert "e0的工作单位" in refused.get_data(as_text=True)
    assert found(session, case).panel is None
    session.commit()

    centre.post(f"{page}/panel", experts=pool[1:4], due_on="2026-10-30")
    panel = found(session, case).panel
    assert panel is not None
    gone = panel.members[0].id
    session.commit()
    centre.post(f"{page}/panel/{gone}/recuse", reason="亲属在该校任职")
    choice = centre.text(f"{page}/panel/{gone}/replace")
    assert ">e0（" not in choice
    assert "须先核实工作单位的专家" in choice
    centre.post(
        f"/office/experts/{pool[0]}",
        employer="上海示例中等职业学校（东校区）",
        employer_uscc=uscc(50),
        fields="调饮师",
    )
    assert ">e0（" in centre.text(f"{page}/panel/{gone}/replace")


def test_an_experts_way(
    app: Flask, session: Session, portal: Portal, case: int, pool: list[int]
) -> None:
    experts = [session.get_one(Expert, key) for key in pool[:3]]
    members = under_review(session, portal, found(session, case), experts)
    keys, line = [one.id for one in members], members[0].panel.evaluation.lines[0].id
    session.commit()
    one, two = signed(app, "e0"), signed(app, "e1")
    mine = f"/expert/reviews/{keys[0]}"
    assert mine in one.text("/expert/reviews")
    shown = one.text(mine)
    assert "乙主任" in shown
    assert PHONE not in shown
    assert "021-62748577" not in shown
    assert two.get(mine).status_code == 404

    def opinion(vote: str, reasons: str) -> dict[str, Any]:
        return {f"vote_{line}": vote, f"reasons_{line}": reasons}

    unsaid = one.post(mine, **opinion("", "课程相符"))
    assert unsaid.status_code == 422
    assert "请选择通过或不通过" in unsaid.get_data(as_text=True)
    assert "课程相符" in unsaid.get_data(as_text=True)
    one.post(mine, **opinion("yes", "课程相符"))
    kept = one.text(mine)
    assert "课程相符" in kept
    assert "提交意见" in kept
    bare = two.post(f"/expert/reviews/{keys[1]}", finish="yes", **opinion("yes", ""))
    assert bare.status_code == 422
    assert "第 1 项还没有意见或理由" in bare.get_data(as_text=True)
    one.post(mine, finish="yes", **opinion("no", "课时不足"))
    assert "课时不足" not in two.text(f"/expert/reviews/{keys[1]}")
    centre = at(app, session, portal, CENTRE)
    assert "课时不足" not in centre.text(f"/office/evaluations/{case}")

    recused = two.post(f"/expert/reviews/{keys[1]}/recuse", reason="亲属在该校任职")
    assert "已回避" in recused.get_data(as_text=True)
    assert "乙主任" not in two.text(f"/expert/reviews/{keys[1]}")
    office = f"/office/evaluations/{case}"
    assert "亲属在该校任职" in centre.text(office)
    choice = centre.text(f"{office}/panel/{keys[1]}/replace")
    assert "e3（示例研究所" in choice
    assert ">own（" not in choice
    centre.post(f"{office}/panel/{keys[1]}/replace", expert=pool[3])
    panel = found(session, case).panel
    assert panel is not None
    for member in [one for one in panel.members if one.finished_at is None and not one.recused_at]:
        judge(session, portal, member, False)
    session.commit()
    concluded = one.text(mine)
    assert "e3的理由1" in concluded
    assert found(session, case).lines[0].state is LineState.REFUSED


def test_documents_are_those_that_were_handed_in(
    app: Flask, session: Session, portal: Portal, desk: Desk, case: int, pool: list[int]
) -> None:
    teaching = at(app, session, portal, TEACHING)
    page, handed_in = f"/office/evaluations/{case}", found(session, case).programmes[0].id
    session.commit()
    file = teaching.get(f"{page}/programmes/{handed_in}")
    assert file.data == PDF
    assert file.headers["Content-Type"] == "application/pdf"
    assert file.headers["X-Content-Type-Options"] == "nosniff"
    specialty = found(session, case).lines[0].specialty_id
    session.commit()
    teaching.post(f"{page}/return", reason="缺一份", programmes=specialty)
    draft = desk.attach(found(session, case), name="未提交.pdf")
    session.commit()
    assert teaching.get(f"{page}/programmes/{draft}").status_code == 404
    assert "未提交.pdf" not in teaching.text(page)
    desk.submit(found(session, case))
    session.commit()
    assert teaching.get(f"{page}/programmes/{draft}").status_code == 200
    experts = [session.get_one(Expert, key) for key in pool[:3]]
    member = under_review(session, portal, found(session, case), experts)[0].id
    session.commit()
    judge_of_it, stranger = signed(app, "e0"), signed(app, "e3")
    assert judge_of_it.get(f"/expert/reviews/{member}/programmes/{draft}").data == PDF
    assert stranger.get(f"/expert/reviews/{member}/programmes/{draft}").status_code == 404
    judge_of_it.post(f"/expert/reviews/{member}/recuse", reason="亲属在该校任职")
    assert judge_of_it.get(f"/expert/reviews/{member}/programmes/{draft}").status_code == 404


def test_another_offices_case_does_not_exist(
    app: Flask, session: Session, portal: Portal, operation: Operation, case: int
) -> None:
    division = at(app, session, portal, DIVISION)
    line = session.query(EvaluationLine.id).first()
    assert line is not None
    key = line[0]
    session.commit()
    for path in ("", "/return", "/refuse", "/seal"):
        assert division.get(f"/office/evaluations/{case}{path}").status_code == 404
    for path in ("/accept", "/return", "/refuse", "/seal"):
        assert division.post(f"/office/evaluations/{case}{path}", reason="越权").status_code == 404
    for path in ("", "/revoke", "/end"):
        assert division.get(f"/office/lines/{key}{path}").status_code == 404
    assert "示例中等职业学校" not in division.text("/office/evaluations")
    assert "示例中等职业学校" not in division.text("/office/lines")
    for path in (f"evaluations/{case}/panel", "experts", "experts/new"):
        assert division.get(f"/office/{path}").status_code == 403
    assert found(session, case).state is EvaluationState.SUBMITTED


def test_a_refusal_tells_its_reasons(
    app: Flask, session: Session, portal: Portal, case: int
) -> None:
    teaching = at(app, session, portal, TEACHING)
    silent = teaching.post(f"/office/evaluations/{case}/refuse", reason="")
    assert silent.status_code == 422
    assert "请写明理由" in silent.get_data(as_text=True)
    shown = teaching.post(f"/office/evaluations/{case}/refuse", reason="不在受理范围")
    assert "不在受理范围" in shown.get_data(as_text=True)
    assert found(session, case).state is EvaluationState.NOT_ACCEPTED


def test_a_line_is_ended_and_revoked(
    app: Flask, session: Session, portal: Portal, operation: Operation
) -> None:
    teaching = at(app, session, portal, TEACHING)
    line = session.query(EvaluationLine).first()
    assert line is not None
    page = f"/office/lines/{line.id}"
    session.commit()
    assert page in teaching.text("/office/lines?q=调饮师")
    assert "没有符合条件" in teaching.text("/office/lines?q=没有")
    late = teaching.post(f"{page}/end", ends_on="2026-10-14", reason="标准更新")
    assert late.status_code == 422
    assert "早于今天" in late.get_data(as_text=True)
    ended = teaching.post(f"{page}/end", ends_on="2026-12-31", reason="标准更新")
    assert "2026-12-31（周四）" in ended.get_data(as_text=True)
    revoked = teaching.post(f"{page}/revoke", reason="培养方案不再执行").get_data(as_text=True)
    assert "已撤销" in revoked
    assert "2026-10-14（周三）" in revoked
    assert "培养方案不再执行" in revoked


def test_the_pool_on_the_pages(
    app: Flask, session: Session, portal: Portal, operation: Operation
) -> None:
    centre = at(app, session, portal, CENTRE)
    assert "还没有专家" in centre.text("/office/experts")
    new: dict[str, Any] = {
        "name": "周专家",
        "username": "zhou",
        "password": PASSWORD,
        "employer": "示例研究所",
        "employer_uscc": uscc(50),
        "fields": "调饮师\n医疗护理员",
    }
    wrong = centre.post("/office/experts/new", **{**new, "fields": "调酒"})
    assert wrong.status_code == 422
    assert "没有职业“调酒”" in wrong.get_data(as_text=True)
    assert "周专家" in centre.post("/office/experts/new", **new).get_data(as_text=True)
    key = session.query(Expert.id).scalar()
    session.commit()
    centre.post(f"/office/experts/{key}", employer="示例学会", employer_uscc="", fields="调饮师")
    changed = session.query(Expert).one()
    assert (changed.employer, changed.fields) == ("示例学会", ["调饮师"])
    session.commit()
    user(session, portal, "li", role=Role.ADMIN)
    assert "我的评估" in signed(app, "zhou").text("/expert/reviews")
    assert signed(app, "li").get("/expert/reviews").status_code == 403
