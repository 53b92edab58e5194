"""Annex 2 and permissions on the web: a school asks, the centre decides."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from school_portal.domain.permission import PermissionState
from school_portal.domain.workflow import Role
from school_portal.models import AccountOpening, Permission, PermissionRequest, School
from school_portal.services import account_openings
from school_portal.services.portal import Portal
from school_portal.services.project_search import key_of
from tests.factories.accounts import (
    CENTRE,
    DOCUMENT,
    DRINKS_4,
    ENTRY,
    KEY,
    MOBILE,
    asked_for,
    drafted,
    received,
    requested,
)
from tests.factories.operation import Operation, running
from tests.factories.visitor import Visitor, user

SECRETS = (MOBILE, ENTRY.contact_mobile, DOCUMENT, KEY)
PROJECT = key_of(DRINKS_4)
FIELDS: dict[str, Any] = {
    **{name: getattr(ENTRY, name) for name in ENTRY.__slots__},
    "handled_on": "2026-10-15",
    "dual_certificate": "是",
    "project": PROJECT,
}
del FIELDS["lines"]


@pytest.fixture
def operation(session: Session, portal: Portal) -> Operation:
    """The school has no account and no permission yet."""
    made = running(session)
    made.school.opened_on = None
    session.execute(sa.delete(Permission).where(Permission.school_id == made.school.id))
    user(session, portal, "zhang", school=made.school)
    user(session, portal, "li", school=made.other)
    user(session, portal, "wang", role=Role.CENTRE)
    session.commit()
    return made


def visitor(app: Flask, name: str) -> Visitor:
    made = Visitor(app)
    made.sign_in(name)
    return made


@pytest.fixture
def school(app: Flask, operation: Operation) -> Visitor:
    return visitor(app, "zhang")


@pytest.fixture
def centre(app: Flask, operation: Operation) -> Visitor:
    return visitor(app, "wang")


Make = Callable[..., AccountOpening]


def made(session: Session, portal: Portal, school: School, make: Make, **changes: Any) -> int:
    """The id of that school's application; no transaction is left open behind it."""
    opening_id = make(session, portal, school, **changes).id
    session.commit()
    return opening_id


def ask(session: Session, portal: Portal, school: School) -> int:
    """The id of the line that the school asked for."""
    request = asked_for(session, portal, school, DRINKS_4)
    line_id = request.lines[0].id
    session.commit()
    return line_id


def id_of(session: Session, school: School) -> int:
    found = school.id
    session.commit()
    return found


def started(school: Visitor) -> str:
    """Where a draft of one word is edited."""
    first = {"contact": "王老师", "dual_certificate": "否"}
    location: str = school.post(f"{OPENINGS}/new", follow=False, **first).location
    return location.removesuffix("submit") + "edit"


OPENINGS = "/school/account/openings"


def test_a_school_fills_in_annex_2_and_hands_it_in(
    school: Visitor, session: Session, portal: Portal
) -> None:
    edit = started(school)
    page = edit.removesuffix("/edit")
    some: dict[str, Any] = {"leader": "李副校长", "key_id": "SHORT", "dual_certificate": "否"}
    checked = school.post(edit, **some).get_data(as_text=True)
    assert "还有 12 处需要改正" in checked
    assert f'href="{edit}#key_id"' in checked
    sound = school.post(edit, **FIELDS).get_data(as_text=True)
    assert "已保存，尚未提交" in sound
    assert not any(secret in sound for secret in SECRETS)
    handed_in = school.post(f"{page}/submit").get_data(as_text=True)
    assert "KH2026000001" in handed_in
    assert "天山路 1800 号 4 号楼 1 楼窗口" in handed_in
    assert not any(secret in handed_in for secret in SECRETS)
    assert "138****0001" in handed_in
    assert school.post(edit, **FIELDS).status_code == 409
    opening = session.scalars(sa.select(AccountOpening)).one()
    assert (opening.dual_certificate, opening.lines[0].project) == (True, DRINKS_4)


def test_a_form_is_no_draft_before_a_word_of_it_is_kept(school: Visitor, session: Session) -> None:
    shown = school.text(f"{OPENINGS}/new")
    assert "还没有保存" in shown and 'value="校长"' in shown and 'value="张老师"' in shown
    long = school.post(f"{OPENINGS}/new", dual_certificate="否", contact="王" * 51)
    assert long.status_code == 422
    assert 'value="' + "王" * 51 in long.get_data(as_text=True)
    assert session.scalars(sa.select(AccountOpening)).all() == []
    session.rollback()
    edit = started(school)
    again = started(school)  # sent twice, it is one
    assert again == edit
    assert school.get(f"{OPENINGS}/new", follow=False).location == edit.removesuffix("/edit")
    assert session.scalars(sa.select(AccountOpening.contact)).all() == ["王老师"]


def test_what_is_ticked_stays_while_one_searches(school: Visitor, session: Session) -> None:
    edit = started(school)
    answer = school.post(edit, follow=False, go="search", q="医疗", **FIELDS)
    assert not any(secret in answer.location for secret in SECRETS)
    text = school.text(answer.location.split("#")[0])
    assert f'value="{PROJECT}" checked' in text
    assert "没有找到" in text
    assert session.scalars(sa.select(AccountOpening.leader)).one() == "李副校长"


def test_the_document_is_not_sent_back_and_stays_where_left_empty(
    school: Visitor, session: Session, portal: Portal
) -> None:
    edit = started(school)
    school.post(edit, **FIELDS)
    text = school.text(edit)
    assert DOCUMENT not in text
    assert KEY in text
    checked = school.post(edit, **{**FIELDS, "operator_document": ""}).get_data(as_text=True)
    assert "尚未提交" in checked


def test_the_centre_receives_the_original_approves_and_opens(
    school: Visitor, centre: Visitor, session: Session, portal: Portal, operation: Operation
) -> None:
    opening_id = made(session, portal, operation.school, requested)
    page = f"/centre/openings/{opening_id}"
    at_school = f"/centre/schools/{id_of(session, operation.school)}"
    assert "KH2026000001" in centre.text("/centre/openings?state=requested")
    case = centre.text(page)
    assert "********0001" in case
    assert not any(secret in case for secret in SECRETS)
    late = centre.post(f"{page}/original", day="2026-10-16")
    assert late.status_code == 409
    assert "晚于今天" in late.get_data(as_text=True)
    assert centre.post(f"{page}/original", day="").status_code == 422
    centre.post(f"{page}/original", day="2026-10-15")
    assert "已批准" in centre.post(f"{page}/approve").get_data(as_text=True)
    assert "待注册开户" in centre.text(at_school)
    centre.post(f"{at_school}/account/open")
    assert "已开户" in school.text("/school/account")
    assert centre.post(f"{at_school}/account/suspend").status_code == 422
    centre.post(f"{at_school}/account/suspend", reason="材料不实。")
    assert "账户状态为“已暂停”" in school.text("/school/")
    assert "材料不实。" in centre.text(at_school)
    assert centre.post(f"{at_school}/account/suspend", reason="再来。").status_code == 409
    assert centre.get(f"{at_school}/account/nothing").status_code == 404


def test_what_is_returned_shows_the_reasons_and_can_be_edited(
    school: Visitor, centre: Visitor, session: Session, portal: Portal, operation: Operation
) -> None:
    opening_id = made(session, portal, operation.school, received)
    page = f"/centre/openings/{opening_id}"
    assert centre.post(f"{page}/return").status_code == 422
    centre.post(f"{page}/return", reason="印章不清。")
    text = school.text(f"/school/account/openings/{opening_id}")
    assert "印章不清。" in text
    assert "修改后重新提交" in text
    assert centre.post(f"{page}/approve").status_code == 409


def test_a_draft_is_the_schools_alone(
    centre: Visitor, session: Session, portal: Portal, operation: Operation
) -> None:
    opening_id = made(session, portal, operation.school, drafted)
    session.commit()
    assert centre.get(f"/centre/openings/{opening_id}").status_code == 404
    assert "没有这个状态的申请" in centre.text("/centre/openings")


def test_another_schools_application_and_permissions_do_not_exist(
    app: Flask, session: Session, portal: Portal, operation: Operation
) -> None:
    stranger = visitor(app, "li")
    opening_id = made(session, portal, operation.school, drafted)
    line_id = ask(session, portal, operation.school)
    page = f"/school/account/openings/{opening_id}"
    other = id_of(session, operation.other)
    own = session.scalars(sa.select(Permission.id).where(Permission.school_id == other)).one()
    session.commit()
    for path in (page, f"{page}/edit", f"{page}/submit"):
        assert stranger.get(path).status_code == 404
    for path in (f"{page}/edit", f"{page}/submit", f"{page}/withdraw"):
        assert stranger.post(path, **FIELDS).status_code == 404
    assert stranger.post(f"/school/permissions/{line_id}/withdraw").status_code == 404
    assert stranger.post(f"/school/permissions/{own}/withdraw").status_code == 409


@pytest.mark.parametrize(
    "path",
    [
        "/centre/openings", "/centre/openings/1", "/centre/openings/1/return", "/centre/schools",
        "/centre/schools/1", "/centre/schools/1/account/close", "/centre/permissions",
        "/centre/schools/1/permissions/new", "/centre/permissions/decide?action=grant&id=1",
    ],
)  # fmt: skip
def test_the_centres_pages_are_the_centres(school: Visitor, path: str) -> None:
    assert school.get(path).status_code == 403


def test_a_school_asks_for_permissions_and_takes_one_back(
    school: Visitor, session: Session
) -> None:
    text = school.text("/school/permissions/new?node=social&q=tys")
    assert PROJECT in text
    empty = school.text("/school/permissions/new?node=employer")
    assert PROJECT not in empty
    assert "请至少选择一项" in school.post("/school/permissions/new").get_data(as_text=True)
    search = school.post(
        "/school/permissions/new", follow=False, go="search", q="", project=PROJECT
    )
    assert "csrf" not in search.location
    assert f'value="{PROJECT}" checked' in school.text(search.location.split("#")[0])
    sent = school.post("/school/permissions/new", node="social", project=PROJECT)
    assert "QX2026000001" in sent.get_data(as_text=True)
    again = school.post("/school/permissions/new", node="social", project=PROJECT)
    assert again.status_code == 422
    assert "待审核" in again.get_data(as_text=True)
    line_id = session.scalar(sa.select(sa.func.max(Permission.id)))
    session.commit()
    assert "已撤回" in school.post(f"/school/permissions/{line_id}/withdraw").get_data(as_text=True)


def test_the_centre_decides_exactly_what_it_selected(
    school: Visitor, centre: Visitor, session: Session, portal: Portal, operation: Operation
) -> None:
    line_id = ask(session, portal, operation.school)
    session.commit()
    assert f'name="id" value="{line_id}"' in centre.text("/centre/permissions")
    confirm = centre.text(f"/centre/permissions/decide?action=grant&id={line_id}")
    assert "开通这 1 项" in confirm
    assert "期初数据" in confirm
    assert "确认仍然开通" not in confirm
    centre.post("/centre/permissions/decide", action="grant", id=line_id)
    assert "已开通" in school.text("/school/account")
    stale = centre.get(f"/centre/permissions/decide?action=grant&id={line_id}")
    assert stale.status_code == 409
    assert "市职业技能鉴定中心的张老师已于 2026-10-15 10:00" in stale.get_data(as_text=True)
    reasonless = centre.post("/centre/permissions/decide", action="revoke", id=line_id)
    assert reasonless.status_code == 422
    assert f'name="id" value="{line_id}"' in reasonless.get_data(as_text=True)
    centre.post("/centre/permissions/decide", action="revoke", id=line_id, reason="机构终止。")
    assert "机构终止。" in school.text("/school/account")
    for action in ("withdraw", "nothing", ""):
        path = f"/centre/permissions/decide?action={action}&id={line_id}"
        assert centre.get(path).status_code == 404


def test_without_an_evaluation_the_centre_is_warned_and_confirms(
    centre: Visitor, session: Session, portal: Portal, operation: Operation
) -> None:
    line_id = ask(session, portal, operation.school)
    session.execute(sa.text("UPDATE evaluation_lines SET ends_on = '2026-10-14'"))
    session.commit()
    confirm = centre.text(f"/centre/permissions/decide?action=grant&id={line_id}")
    assert "没有有效的评估结论" in confirm
    assert "确认仍然开通" in confirm
    send: dict[str, Any] = {"action": "grant", "id": line_id}
    assert centre.post("/centre/permissions/decide", **send).status_code == 409
    centre.post("/centre/permissions/decide", **send, confirmed="yes")
    session.rollback()
    assert session.get_one(Permission, line_id).state is PermissionState.GRANTED


def test_the_centre_opens_qualification_permissions_out_of_annex_2(
    centre: Visitor, session: Session, portal: Portal, operation: Operation
) -> None:
    opening_id = made(session, portal, operation.school, requested)
    at_school = f"/centre/schools/{id_of(session, operation.school)}"
    assert f"{at_school}/permissions/new?project=" in centre.text(f"/centre/openings/{opening_id}")
    new = f"{at_school}/permissions/new"
    assert centre.post(new).status_code == 422
    done = centre.post(new, project=PROJECT).get_data(as_text=True)
    assert "已为“示例中等职业学校”开通 1 项" in done
    again = centre.post(new, project=PROJECT)
    assert again.status_code == 422
    assert "已经开通" in again.get_data(as_text=True)


def test_two_schools_at_one_key_are_told_alike(
    school: Visitor, session: Session, portal: Portal, operation: Operation
) -> None:
    made(session, portal, operation.other, requested, lines=())
    opening_id = made(session, portal, operation.school, drafted)
    session.commit()
    text = school.text(f"/school/account/openings/{opening_id}/submit")
    assert "该 keyID 已属于另一个账户，或已在另一份申请中" in text
    assert "示例商贸职业学校" not in text


def test_anybody_checks_a_receipt_and_reads_nothing_personal(
    app: Flask, school: Visitor, session: Session, portal: Portal, operation: Operation
) -> None:
    opening_id = made(session, portal, operation.school, requested)
    ask(session, portal, operation.school)
    opening_uid = session.scalars(sa.select(AccountOpening.uid)).one()
    request_uid = session.scalars(sa.select(PermissionRequest.uid)).one()
    session.commit()
    receipt = school.text(f"/school/account/openings/{opening_id}")
    (digest,) = re.findall(r"\b[0-9a-f]{64}\b", receipt)
    public = Visitor(app)
    verified = public.text(f"/verify/{opening_uid}")
    assert digest in verified
    assert "KH2026000001" in verified
    asked_for = public.text(f"/verify/{request_uid}")
    assert "QX2026000001" in asked_for
    assert "待审核" in asked_for
    for secret in (*SECRETS, ENTRY.leader, ENTRY.operator):
        assert secret not in verified + asked_for
    school.post(f"/school/account/openings/{opening_id}/withdraw")
    assert "已撤回" in public.text(f"/verify/{opening_uid}")


def test_a_returned_application_has_no_hash_to_compare(
    app: Flask, session: Session, portal: Portal, operation: Operation
) -> None:
    opening_id = made(session, portal, operation.school, requested)
    opening = session.get_one(AccountOpening, opening_id)
    uid = opening.uid
    account_openings.return_(session, portal, CENTRE, opening, "印章不清。")
    session.commit()
    text = Visitor(app).text(f"/verify/{uid}")
    assert "已退回" in text
    assert re.search(r"\b[0-9a-f]{64}\b", text) is None
