"""The pages on which a school signs and submits, and fetches its receipt."""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from school_portal.config import Settings, read
from school_portal.demo import authority
from school_portal.demo.authority import Issued
from school_portal.domain.group_application import ApplicationState
from school_portal.domain.roster import Enrolment
from school_portal.domain.school_key import KeyState
from school_portal.domain.workflow import Role
from school_portal.models import (
    AuditEvent,
    GroupApplication,
    Notice,
    PermissionRequest,
    SchoolKey,
    Student,
    User,
)
from school_portal.security import receipts
from school_portal.security.ca.certificates import read_certificate
from school_portal.services import applications, policies, school_keys
from school_portal.services.access import Actor
from school_portal.services.portal import Portal
from school_portal.services.project_search import key_of
from tests.conftest import FakeClock
from tests.factories.authority import World, pem
from tests.factories.evaluations import NURSE_5, carry_more
from tests.factories.operation import student
from tests.factories.signing import ORIGIN, Signers, ca_settings, signers
from tests.factories.visitor import PASSWORD, Visitor, user

_MESSAGE = re.compile(r'data-sign-message="([^"]+)"')

_RECEIPT = re.compile(r"/verify/[0-9a-f]{32}/receipts/[0-9a-f]{64}")


@pytest.fixture
def world() -> World:
    return World("sm2")


@pytest.fixture
def settings(environment: dict[str, str], tmp_path: Path, world: World) -> Settings:
    return read({**environment, **ca_settings(tmp_path, world)})


@pytest.fixture
def desk(session: Session, portal: Portal, world: World) -> Signers:
    return signers(session, portal, world)


@pytest.fixture
def page(desk: Signers) -> str:
    draft = desk.drafts(desk.operation.school, 1, 2)[0]
    path = f"/school/applications/{draft.id}"
    desk.session.commit()
    return path


@pytest.fixture
def zhang(app: Flask, desk: Signers, page: str) -> Visitor:
    visitor = Visitor(app)
    visitor.sign_in("zhang")
    return visitor


def fields(visitor: Visitor, page: str, leaf: Issued) -> dict[str, Any]:
    """What the script makes of the page's form."""
    found = _MESSAGE.search(visitor.text(page))
    assert found is not None
    signature = leaf.signer.sign(html.unescape(found[1]).encode())
    certificate = pem("CERTIFICATE", leaf.der)
    return {"certificate": certificate, "signature": b64encode(signature).decode()}


def told(answer: TestResponse, status: int) -> str:
    text = answer.get_data(as_text=True)
    assert answer.status_code == status, text
    return text


def draft_of(session: Session) -> GroupApplication:
    session.rollback()
    return session.scalars(sa.select(GroupApplication)).one()


def test_signed_submitted_and_the_receipt_fetched(
    zhang: Visitor, world: World, page: str, session: Session, app: Flask
) -> None:
    answer = zhang.post(f"{page}/submit", **fields(zhang, page, world.leaf()))
    link = _RECEIPT.search(told(answer, 200))
    assert link is not None
    file = zhang.get(link[0])
    assert file.headers["Content-Disposition"].startswith("attachment;")
    checks = receipts.check(file.data, None)
    assert {one.holds for one in checks} == {True, None}

    receipt: dict[str, Any] = json.loads(file.data)
    public = Visitor(app).text(f"/verify/{receipt['content']['uid']}")
    assert receipt["sha256"] in public and "TB2026000001" in public
    key = next(one.text for one in checks if one.name == "portal")
    shown = re.search(r"\b[0-9a-f]{64}\b", key)
    assert shown is not None and shown[0] in public
    assert "学生1" not in public


def test_a_draft_has_neither_receipt_nor_verification(
    zhang: Visitor, page: str, session: Session
) -> None:
    assert _RECEIPT.search(zhang.text(page)) is None
    uid = draft_of(session).uid
    session.rollback()
    assert zhang.get(f"/verify/{uid}").status_code == 404


def test_another_schools_application_is_none(
    app: Flask, zhang: Visitor, desk: Signers, page: str, world: World
) -> None:
    given = fields(zhang, page, world.leaf())
    user(desk.session, desk.portal, "li", school=desk.operation.other)
    other = Visitor(app)
    other.sign_in("li")
    assert other.post(f"{page}/submit", **given).status_code == 404
    link = _RECEIPT.search(told(zhang.post(f"{page}/submit", **given), 200))
    assert link is not None and other.get(link[0]).status_code == 404


@pytest.mark.parametrize(
    "changes, status, text",
    [
        ({"signature": ""}, 409, "没有收到签名"),
        ({"certificate": ""}, 409, "没有收到签名"),
        ({"signature": "%%%"}, 409, "格式不对"),
        ({"certificate": "AAAA"}, 409, "格式不对"),
        ({"certificate": "A" * 70_000}, 409, "格式不对"),
        ({"signature": "AAAA"}, 403, "签名与证书或现在的内容不符"),
    ],
)
def test_a_form_without_a_good_signature(
    zhang: Visitor,
    world: World,
    page: str,
    session: Session,
    changes: dict[str, str],
    status: int,
    text: str,
) -> None:
    given = {**fields(zhang, page, world.leaf()), **changes}
    assert text in told(zhang.post(f"{page}/submit", **given), status)
    assert draft_of(session).state is ApplicationState.DRAFT


def test_who_may_no_longer_apply_is_listed_on_the_page(
    zhang: Visitor, world: World, page: str, session: Session
) -> None:
    given = fields(zhang, page, world.leaf())
    first = sa.update(Student).where(Student.student_no == student(1)["学号*"])
    session.execute(first.values(enrolment_status=Enrolment.SUSPENDED))
    session.commit()
    text = told(zhang.post(f"{page}/submit", **given), 409)
    assert "有 1 名学生现在不能申报" in text
    assert "学籍状态为“休学”" in text and "沪人社职〔2021〕401号 一" in text
    assert "1 名学生</summary>" in text
    assert 'href="/school/rosters/new">更新名册</a>' in text
    assert draft_of(session).state is ApplicationState.DRAFT


def test_the_pages_of_a_refused_list_open(
    zhang: Visitor, world: World, desk: Signers, session: Session
) -> None:
    many = desk.drafts(desk.operation.school, *range(11, 42))[0].id
    first = sa.update(Student).where(Student.student_no == student(11)["学号*"])
    session.execute(first.values(enrolment_status=Enrolment.SUSPENDED))
    session.commit()
    page = f"/school/applications/{many}"
    text = told(zhang.post(f"{page}/submit", **fields(zhang, page, world.leaf())), 409)
    assert f'href="{page}?page=2"' in text
    assert "学生41" in zhang.text(f"{page}?page=2")
    assert zhang.get(f"{page}/submit", follow=False).location == page


def test_a_refused_key_is_on_record_and_nothing_personal(
    zhang: Visitor, world: World, page: str, session: Session
) -> None:
    given = {**fields(zhang, page, world.leaf()), "signature": "AAAA"}
    zhang.post(f"{page}/submit", **given)
    session.rollback()
    refused = sa.select(AuditEvent).where(AuditEvent.action == "submission.refuse")
    (event,) = session.scalars(refused)
    assert (event.subject, event.detail) == (draft_of(session).subject, {"code": "ca.signature"})


ASKED = {"node": "social", "project": key_of(NURSE_5)}


def confirmation(zhang: Visitor, desk: Signers) -> tuple[str, str]:
    """The page on which permissions are asked for, and its nonce."""
    carry_more(desk.session, desk.operation)
    desk.session.commit()
    page = zhang.post("/school/permissions/new", follow=False, **ASKED).location
    nonce = re.search(r'name="nonce" value="([^"]+)"', zhang.text(page))
    assert nonce is not None
    return page, nonce[1]


def requests(session: Session) -> int:
    found = session.scalar(sa.select(sa.func.count()).select_from(PermissionRequest))
    session.rollback()
    return found or 0


def test_permissions_are_listed_once_more_and_signed(
    zhang: Visitor, world: World, desk: Signers
) -> None:
    page, _ = confirmation(zhang, desk)
    text = zhang.text(page)
    nonce, message = (
        re.findall(pattern, text)[0]
        for pattern in (r'name="nonce" value="([^"]+)"', _MESSAGE.pattern)
    )
    unsigned: dict[str, Any] = {**ASKED, "nonce": nonce}
    assert "没有收到签名" in told(zhang.post("/school/permissions/confirm", **unsigned), 409)
    leaf = world.leaf()
    signature = leaf.signer.sign(html.unescape(message).encode())
    given = {
        **unsigned,
        "certificate": pem("CERTIFICATE", leaf.der),
        "signature": b64encode(signature).decode(),
    }
    assert "QX2026000001" in told(zhang.post("/school/permissions/confirm", **given), 200)
    assert "不用重复提交" in told(zhang.post("/school/permissions/confirm", **given), 409)
    assert requests(desk.session) == 1


def test_a_school_without_a_key_shows_again_who_it_is(
    zhang: Visitor, desk: Signers, clock: FakeClock
) -> None:
    desk.operation.school.key_id_index = None
    page, nonce = confirmation(zhang, desk)
    assert "data-sign" not in zhang.text(page)
    clock.now += timedelta(minutes=16)
    given: dict[str, Any] = {**ASKED, "nonce": nonce}
    asked = told(zhang.post("/school/permissions/confirm", **given), 403)
    assert "proof" in asked and nonce in asked and requests(desk.session) == 0
    sent = zhang.post("/school/permissions/confirm", **given, proof=PASSWORD)
    assert "QX2026000001" in told(sent, 200)


def test_withdrawn_with_a_reason_its_students_are_free(
    zhang: Visitor, page: str, session: Session, desk: Signers
) -> None:
    assert f"{page}/withdraw" in zhang.text(page)
    assert "请写明理由" in told(zhang.post(f"{page}/withdraw", reason=""), 422)
    assert "已撤回" in told(zhang.post(f"{page}/withdraw", reason="名单有误"), 200)
    assert f"{page}/withdraw" not in zhang.text(page)
    assert draft_of(session).state is ApplicationState.WITHDRAWN
    again = applications.plan_document(
        session, desk.portal, desk.operation.school, desk.portal.today()
    )
    assert len(again["applications"][0]["students"]) == 2 and not again["held"]


def test_the_origin_is_part_of_what_is_signed(zhang: Visitor, page: str) -> None:
    found = _MESSAGE.search(zhang.text(page))
    assert found is not None
    assert html.unescape(found[1]).startswith(f"school-portal/v1\n{ORIGIN}\nsubmit\n")


class TestWithoutKeys:
    """A portal that trusts no CA."""

    @pytest.fixture
    def settings(self, environment: dict[str, str]) -> Settings:
        return read(environment)

    def test_the_page_says_so_and_nothing_is_submitted(
        self, zhang: Visitor, page: str, session: Session
    ) -> None:
        text = zhang.text(page)
        assert "没有启用密钥签名" in text and "data-sign" not in text
        given: dict[str, Any] = {
            "certificate": pem("CERTIFICATE", World("sm2").leaf().der),
            "signature": "AAAA",
        }
        assert "没有启用密钥签名" in told(zhang.post(f"{page}/submit", **given), 409)
        assert draft_of(session).state is ApplicationState.DRAFT


def test_a_renewed_key_that_waits_submits_nothing_and_is_on_record(
    zhang: Visitor, world: World, page: str, session: Session, desk: Signers
) -> None:
    user(session, desk.portal, "bao", role=Role.BUREAU)
    user(session, desk.portal, "wang", role=Role.CENTRE)
    bureau = Actor.of(session.scalars(sa.select(User).where(User.username == "bao")).one())
    policies.change(session, desk.portal, bureau, "renewed_key_waits", "是", "试行")
    school_keys.meet(
        session, desk.operation.school, read_certificate(world.leaf().der), desk.portal.clock()
    )
    session.commit()
    other = authority.Sm2Signer()
    for _ in range(2):
        answer = zhang.post(f"{page}/submit", **fields(zhang, page, world.leaf(signer=other)))
        assert "须经市职业技能鉴定中心核准" in told(answer, 403)
    assert draft_of(session).state is ApplicationState.DRAFT
    states = session.scalars(sa.select(SchoolKey.state).order_by(SchoolKey.id)).all()
    assert states == [KeyState.ACCEPTED, KeyState.WAITING]
    notices = sa.select(sa.func.count()).select_from(Notice).where(Notice.title.contains("待核准"))
    assert session.scalar(notices) == 2
