"""The forms for print, fetched as each party does."""

from __future__ import annotations

import pypdfium2
import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from school_portal.domain.workflow import Role
from school_portal.models import AuditEvent
from school_portal.services import account_openings, permissions, sealing
from school_portal.services.portal import Portal
from tests.factories.accounts import KEY, asked_for, drafted
from tests.factories.accounts import acting as somebody
from tests.factories.evaluation import expert, judge, officer, under_review
from tests.factories.evaluations import NURSE_5, Desk, carry_more
from tests.factories.operation import Operation, running
from tests.factories.visitor import Visitor, user


@pytest.fixture
def operation(session: Session, portal: Portal) -> Operation:
    made = running(session)
    carry_more(session, made)
    user(session, portal, "zhang", school=made.school)
    user(session, portal, "li", school=made.other)
    for role in (Role.TEACHING_OFFICE, Role.VOCATIONAL_DIVISION, Role.CENTRE):
        officer(session, portal, role)
    session.commit()
    return made


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return Visitor(app)


def text_of(visitor: Visitor, path: str) -> str:
    answer = visitor.get(path)
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf"), path
    document = pypdfium2.PdfDocument(answer.data)
    return "".join("".join(page.get_textpage().get_text_bounded().split()) for page in document)


def test_annex_1_and_the_opinion(
    session: Session, portal: Portal, operation: Operation, visitor: Visitor
) -> None:
    desk = Desk.of(session, portal, operation.school)
    case = desk.complete()
    path = f"evaluations/{case.id}"
    session.commit()
    visitor.sign_in("zhang")
    assert "草稿·未提交" in text_of(visitor, f"/school/{path}/form.pdf")
    assert visitor.get(f"/school/{path}/opinion.pdf").status_code == 409

    desk.submit(case)
    pool = [expert(session, portal, f"expert-{number}") for number in range(3)]
    for member in under_review(session, portal, case, pool):
        judge(session, portal, member, True)
    number = str(case.number)
    session.commit()
    printed = text_of(visitor, f"/school/{path}/form.pdf")
    assert "调饮师" in printed
    assert number in printed
    assert visitor.get(f"/school/{path}/opinion.pdf").status_code == 409
    visitor.sign_in("teaching_office")
    assert "市教育委员会教学研究室" in text_of(visitor, f"/office/{path}/opinion.pdf")
    visitor.sign_in("vocational_division")
    assert visitor.get(f"/office/{path}/opinion.pdf").status_code == 404

    for role in (Role.CENTRE, Role.TEACHING_OFFICE):
        sealing.seal(session, portal, officer(session, portal, role), case)
    session.commit()
    visitor.sign_in("zhang")
    assert "评估意见表" in text_of(visitor, f"/school/{path}/opinion.pdf")
    visitor.sign_in("li")
    for name in ("form", "opinion"):
        assert visitor.get(f"/school/{path}/{name}.pdf").status_code == 404


def test_annex_2_holds_the_whole_key_and_printing_it_is_on_record(
    session: Session, portal: Portal, operation: Operation, visitor: Visitor
) -> None:
    operation.school.opened_on = None
    opening = drafted(session, portal, operation.school)
    who = somebody(Role.SCHOOL, operation.school)
    account_openings.request(session, portal, who, opening, portal.clock())
    at_school, at_centre = (
        f"/school/account/openings/{opening.id}/form.pdf",
        f"/centre/openings/{opening.id}/form.pdf",
    )
    session.commit()
    for username, path in (("zhang", at_school), ("centre", at_centre)):
        visitor.sign_in(username)
        assert KEY in text_of(visitor, path)
    visitor.sign_in("li")
    assert visitor.get(at_school).status_code == 404
    events = session.scalars(
        sa.select(AuditEvent).where(AuditEvent.action == "account-opening.print")
    )
    assert [event.subject for event in events] == [opening.subject] * 2


def test_the_notice_of_permissions(
    session: Session, portal: Portal, operation: Operation, visitor: Visitor
) -> None:
    school = operation.school
    request = asked_for(session, portal, school, NURSE_5)
    path, line_id = f"permissions/requests/{request.id}/notice.pdf", request.lines[0].id
    session.commit()
    visitor.sign_in("zhang")
    assert visitor.get(f"/school/{path}").status_code == 409
    centre = officer(session, portal, Role.CENTRE)
    permissions.refuse(session, portal, centre, [line_id], "先办理专业评估")
    session.commit()
    assert "先办理专业评估" in text_of(visitor, f"/school/{path}")
    visitor.sign_in("centre")
    assert "医疗护理员" in text_of(visitor, f"/centre/{path}")
    visitor.sign_in("li")
    assert visitor.get(f"/school/{path}").status_code == 404
