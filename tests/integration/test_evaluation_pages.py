"""A school at its application for specialty evaluation, in the browser."""

from __future__ import annotations

import io
import json
import re
from datetime import date, datetime
from hashlib import sha256

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from school_portal.domain.specialty_evaluation import EvaluationAction
from school_portal.domain.windows import TZ
from school_portal.models import SignIn, SpecialtyEvaluation, User
from school_portal.security import audit
from school_portal.services.portal import Portal
from school_portal.services.project_search import key_of
from tests.conftest import FakeClock
from tests.factories.evaluations import DRINKS_3, DRINKS_4, PDF, WRITTEN, Desk, carry_more
from tests.factories.operation import Operation, running
from tests.factories.visitor import HTML, Visitor, user


@pytest.fixture
def operation(session: Session, portal: Portal) -> Operation:
    made = running(session)
    carry_more(session, made)
    user(session, portal, "zhang", school=made.school)
    user(session, portal, "li", school=made.other)
    session.commit()
    return made


@pytest.fixture
def visitor(app: Flask, operation: Operation) -> Visitor:
    found = Visitor(app)
    found.sign_in("zhang")
    return found


@pytest.fixture
def desk(session: Session, portal: Portal, operation: Operation) -> Desk:
    return Desk.of(session, portal, operation.school)


NEW = "/school/evaluations/new"


def started(visitor: Visitor) -> str:
    answer = visitor.post(f"{NEW}?training_level=secondary", follow=False, version="0")
    location: str = answer.location
    return location.removesuffix("/edit")


def version(page: str) -> str:
    found = re.search(r'name="version"[^>]*value="(\d+)"', page)
    assert found is not None
    return found[1]


def kept(desk: Desk, evaluation: SpecialtyEvaluation) -> str:
    """The case's address; the test's own transaction ends, for the pages have theirs."""
    case = f"/school/evaluations/{evaluation.id}"
    desk.session.commit()
    return case


@pytest.fixture
def specialty(desk: Desk) -> int:
    found = desk.school.specialties[0].id
    desk.session.commit()
    return found


def test_from_nothing_to_the_receipt(visitor: Visitor, specialty: int) -> None:
    empty = visitor.text("/school/evaluations")
    assert "还没有专业评估申请" in empty
    assert "2026-10-31（周六）24:00 截止" in empty
    case = started(visitor)
    page = visitor.text(f"{case}/edit")
    assert "草稿 · 未提交" in page
    visitor.post(f"{case}/edit", version=version(page), **WRITTEN)
    assert "还有 1 处须改正" in visitor.text(f"{case}/submit")
    visitor.post(f"{case}/lines", specialty=specialty, project=key_of(DRINKS_4))
    file = (io.BytesIO(PDF), "方案.pdf")
    answer = visitor.post(f"{case}/programmes", specialty=specialty, file=file)
    assert "已上传“方案.pdf”" in answer.get_data(as_text=True)
    review = visitor.text(f"{case}/submit")
    assert "确认提交 1 项" in review
    assert "已有有效的评估结论" in review
    done = visitor.post(f"{case}/submit", version=version(review)).get_data(as_text=True)
    assert "已提交，编号 PG2026000001" in done
    assert "市教委教研室" in done
    assert "138****0001" in done
    assert "13800000001" not in done
    assert "草稿" not in visitor.text("/school/evaluations").split("<table")[1]


def test_the_frozen_copy_and_what_anyone_may_verify(
    app: Flask, visitor: Visitor, desk: Desk
) -> None:
    evaluation = desk.complete()
    digest, uid, number = desk.submit(evaluation).digest, evaluation.uid, evaluation.number
    copy = visitor.get(f"{kept(desk, evaluation)}/submissions/1")
    assert sha256(copy.data).hexdigest() == digest
    assert json.loads(copy.data)["number"] == number
    assert copy.headers["Content-Disposition"].startswith("attachment")
    page = Visitor(app).text(f"/verify/{uid}")
    for said in (str(number), digest, "已提交", "2026-10-15（周四）10:00"):
        assert said in page
    for personal in (*WRITTEN.values(), "示例中等职业学校"):
        assert personal not in page


def test_a_draft_and_an_unknown_uid_verify_nothing(app: Flask, desk: Desk) -> None:
    uid = desk.draft().uid
    desk.session.commit()
    for one in (uid, "0" * 32):
        assert Visitor(app).get(f"/verify/{one}").status_code == 404


def autosave(visitor: Visitor, case: str, **written: str) -> tuple[int, str]:
    data = {"csrf_token": visitor.token(), **WRITTEN, **written}
    answer = visitor.send("POST", f"{case}/edit", data=data, headers={**HTML, "HX-Request": "true"})
    return answer.status_code, answer.get_data(as_text=True)


def test_autosave_says_when_and_the_second_editor_is_told(visitor: Visitor) -> None:
    case = started(visitor)
    read = version(visitor.text(f"{case}/edit"))
    status, said = autosave(visitor, case, version=read)
    assert (status, "已保存 10:00" in said) == (200, True)
    assert autosave(visitor, case, version=version(said), contact="丁老师")[0] == 200
    status, said = autosave(visitor, case, version=read, contact="戊老师")
    assert (status, "没有保存" in said) == (409, True)
    assert "<html" not in said
    answer = visitor.post(f"{case}/edit", version=read, **{**WRITTEN, "contact": "戊老师"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert 'value="戊老师"' in page  # what was typed is not lost
    assert "丁老师" in visitor.text(f"{case}/edit")


def test_an_autosave_after_the_sign_in_is_refused_and_never_redirected(
    visitor: Visitor, session: Session
) -> None:
    case = started(visitor)
    read = version(visitor.text(f"{case}/edit"))
    session.execute(sa.update(User).values(must_change_password=True))
    session.commit()
    status, said = autosave(visitor, case, version=read)
    assert (status, json.loads(said)["code"]) == (403, "request.duty")
    session.execute(sa.delete(SignIn))
    session.commit()
    status, said = autosave(visitor, case, version=read)
    assert (status, json.loads(said)["code"]) == (401, "request.sign-in")
    part = visitor.get(f"{case}/projects", follow=False, headers={"HX-Request": "true"})
    assert part.status_code == 401
    assert visitor.get(f"{case}/edit", follow=False).status_code == 302  # a page is sent there


def test_what_is_too_long_is_told_at_its_field(visitor: Visitor) -> None:
    case = started(visitor)
    read = version(visitor.text(f"{case}/edit"))
    answer = visitor.post(f"{case}/edit", version=read, **{**WRITTEN, "contact": "长" * 51})
    assert answer.status_code == 422
    assert "联系人不超过 50 个字" in answer.get_data(as_text=True)
    status, said = autosave(visitor, case, version=read, contact="长" * 51)
    assert (status, "联系人不超过 50 个字" in said) == (422, True)


def test_the_search_is_a_page_and_a_part_and_says_what_the_cap_keeps_out(
    visitor: Visitor, specialty: int
) -> None:
    case = started(visitor)
    path = f"{case}/projects?specialty={specialty}&q=tys"
    page = visitor.text(path)
    part = visitor.get(path, headers={"HX-Request": "true"}).get_data(as_text=True)
    assert "<html" in page
    assert "<html" not in part
    for text in (page, part):
        assert "加入调饮师四级/中级工" in text
        assert "加入调饮师三级/高级工" not in text
        assert "最高可申报四级/中级工" in text
        assert "/clauses/n17s-1" in text
    refused = visitor.post(f"{case}/lines", specialty=specialty, project=key_of(DRINKS_3))
    assert refused.status_code == 409
    assert "不能申报三级/高级工" in refused.get_data(as_text=True)
    nothing = visitor.text(f"{case}/projects?specialty={specialty}&q=zzz")
    assert "没有可申报的“zzz”" in nothing


@pytest.mark.parametrize(
    "content, name, said",
    [
        (b"MZ\x90\x00" + bytes(99), "方案.pdf", "不是 PDF、Word"),
        (b"<html><script>alert(1)</script>", "方案.docx", "不是 PDF、Word"),
        (b"", "方案.pdf", "文件是空的"),
        (b"", "", "请先选择要上传的文件"),
    ],
)
def test_what_is_no_document_is_refused(
    visitor: Visitor, specialty: int, content: bytes, name: str, said: str
) -> None:
    case = started(visitor)
    answer = visitor.post(
        f"{case}/programmes", specialty=specialty, file=(io.BytesIO(content), name)
    )
    assert said in answer.get_data(as_text=True)


@pytest.mark.parametrize("gone", [False, True], ids=["attach", "detach"])
def test_nothing_is_told_as_done_whose_commit_failed(
    app: Flask, visitor: Visitor, desk: Desk, monkeypatch: pytest.MonkeyPatch, gone: bool
) -> None:
    app.config.update(PROPAGATE_EXCEPTIONS=False)
    evaluation = desk.complete()
    made, specialty = evaluation.programmes[0].id, desk.school.specialties[0].id
    case = kept(desk, evaluation)
    with monkeypatch.context() as broken:
        broken.setattr(audit, "digest_of", unreachable)
        if gone:
            answer = visitor.post(f"{case}/programmes/{made}/detach")
        else:
            file = (io.BytesIO(PDF), "计划.pdf")
            answer = visitor.post(f"{case}/programmes", specialty=specialty, file=file)
    assert answer.status_code == 503
    page = visitor.text(f"{case}/edit")
    assert "已移除" not in page
    assert "已上传" not in page
    assert "计划.pdf" not in page
    assert "人才培养方案.pdf" in page


def unreachable(_: object) -> bytes:
    """The database goes away at the commit, which writes the audit chain."""
    raise OperationalError("COMMIT", {}, Exception("gone"))


def test_documents_are_what_they_are_and_nothing_else(visitor: Visitor, desk: Desk) -> None:
    evaluation = desk.draft()
    made = desk.attach(evaluation, PDF, "方案.pdf")
    answer = visitor.get(f"{kept(desk, evaluation)}/programmes/{made}")
    assert answer.data == PDF
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Type"] == "application/pdf"


def test_a_closed_window_is_said_before_and_at_the_submission(
    visitor: Visitor, desk: Desk, clock: FakeClock
) -> None:
    case = kept(desk, desk.complete())
    clock.now = datetime(2026, 11, 1, tzinfo=TZ)
    visitor.sign_in("zhang")  # the earlier sign-in has lapsed
    assert "下一个受理期" in visitor.text("/school/evaluations")
    review = visitor.text(f"{case}/submit")
    assert "现在不在受理期" in review
    assert "确认提交" not in review
    answer = visitor.post(f"{case}/submit")
    assert answer.status_code == 409
    for said in ("2027-04-01 至 2027-04-30 24:00", "沪职鉴中心〔2021〕17号 一1"):
        assert said in answer.get_data(as_text=True)


def test_the_stamp_is_the_arrivals_and_not_the_commits(
    app: Flask, visitor: Visitor, desk: Desk, clock: FakeClock
) -> None:
    """Whatever the request does after its last byte has arrived, the clock of then is judged."""
    evaluation = desk.complete()
    case = kept(desk, evaluation)
    last = datetime(2026, 10, 31, 23, 59, 59, 999999, TZ)
    clock.now = last
    visitor.sign_in("zhang")
    token = visitor.token()
    app.before_request_funcs[None].append(
        lambda: setattr(clock, "now", datetime(2026, 11, 1, 0, 0, 5, tzinfo=TZ))
    )
    answer = visitor.send("POST", f"{case}/submit", data={"csrf_token": token}, headers=HTML)
    assert answer.status_code == 302
    assert evaluation.arrived_at == last


def test_a_returned_one_shows_why_and_opens_what_is_named(visitor: Visitor, desk: Desk) -> None:
    evaluation = desk.complete()
    desk.submit(evaluation)
    evaluation.correction_until = date(2026, 10, 17)
    evaluation.unlocked = {"fields": ["address"]}
    desk.decide(evaluation, EvaluationAction.RETURN)
    case = kept(desk, evaluation)
    page = visitor.text(case)
    assert "请补正" in page
    assert "可以修改：联系地址。期限 2026-10-17（周六）24:00" in page
    assert '2026-10-17（周六） <span class="due-near">还有 2 天（1 个工作日）</span>' in page
    edit = visitor.text(f"{case}/edit")
    assert 'name="address"' in edit
    assert 'name="contact"' not in edit
    assert "查询项目" not in edit
    saved = visitor.post(f"{case}/edit", version=version(edit), address="别处", contact="丁老师")
    assert "已保存草稿" in saved.get_data(as_text=True)
    visitor.post(f"{case}/submit", version=version(visitor.text(f"{case}/submit")))
    assert (evaluation.address, evaluation.contact) == ("别处", WRITTEN["contact"])
    assert len(evaluation.submissions) == 2


def test_withdrawing_asks_why(visitor: Visitor, desk: Desk) -> None:
    evaluation = desk.complete()
    desk.submit(evaluation)
    case = kept(desk, evaluation)
    assert visitor.post(f"{case}/withdraw", reason="").status_code == 422
    done = visitor.post(f"{case}/withdraw", reason="专业停招")
    assert "已撤回 PG2026000001" in done.get_data(as_text=True)
    assert "专业停招" in visitor.text(case)


def test_a_form_is_no_draft_before_a_word_of_it_is_kept(
    visitor: Visitor, desk: Desk, specialty: int
) -> None:
    address = f"{NEW}?training_level=secondary"
    page = visitor.text(address)
    assert "还没有保存" in page and 'value="校长"' in page
    long = visitor.post(address, version="0", contact="王" * 51)
    assert long.status_code == 422
    assert "王" * 51 in long.get_data(as_text=True)
    assert "还没有专业评估申请" in visitor.text("/school/evaluations")
    beside = {"csrf_token": visitor.token(), "version": "0", "contact": "王老师"}
    line = visitor.send("POST", address, data=beside, headers={**HTML, "HX-Request": "true"})
    text = line.get_data(as_text=True)
    assert "已保存" in text and "/edit#lines" in text
    beside |= {"version": version(text), "contact": "丙老师"}
    visitor.send("POST", address, data=beside, headers={**HTML, "HX-Request": "true"})
    assert (
        visitor.send(
            "POST", address, data={**beside, "version": "0", "contact": "丁老师"}, headers=HTML
        ).status_code
        == 409
    )
    found = visitor.get(address, follow=False).location
    assert 'value="丙老师"' in visitor.text(found)
    kept = desk.session.query(SpecialtyEvaluation).one()
    assert (kept.contact, kept.legal_representative) == ("丙老师", "")


def test_no_draft_of_a_training_level_of_others(visitor: Visitor) -> None:
    for level in ("higher", "none", ""):
        assert visitor.get(f"{NEW}?training_level={level}").status_code == 404
        assert visitor.post(f"{NEW}?training_level={level}", version="0").status_code == 404


def test_pages_hold_no_script_and_no_style(visitor: Visitor, desk: Desk, specialty: int) -> None:
    case = kept(desk, desk.complete())
    for path in (f"{case}/edit", f"{case}/submit", f"{case}/projects?specialty={specialty}&q=t"):
        page = visitor.text(path)
        assert " style=" not in page
        assert "hx-on" not in page
        assert "onclick" not in page
        assert "<script>" not in page
