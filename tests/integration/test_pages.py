"""A school's way through the pages, from the sign-in to a downloaded application."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from school_portal.models import (
    Body,
    BodyProject,
    GroupApplication,
    Job,
    JobState,
    Permission,
    Roster,
    Student,
)
from school_portal.security import audit
from school_portal.services.portal import Portal
from tests.factories.operation import (
    DRINKS,
    Operation,
    resident_id,
    running,
    student,
    uscc,
    workbook,
)
from tests.factories.visitor import Visitor, user, work


@pytest.fixture
def operation(session: Session, portal: Portal) -> Operation:
    made = running(session)
    user(session, portal, "zhang", school=made.school)
    session.commit()
    return made


@pytest.fixture
def operator(app: Flask, operation: Operation) -> Visitor:
    visitor = Visitor(app)
    visitor.sign_in("zhang")
    return visitor


def upload(visitor: Visitor, rows: list[dict[str, str]], **data: str) -> str:
    """The address of the uploaded roster's page."""
    return send(visitor, workbook(rows).getvalue(), **data)


def send(visitor: Visitor, content: bytes, **data: str) -> str:
    file = (BytesIO(content), "2027届名册.xlsx")
    answer = visitor.post("/school/rosters/new", follow=False, file=file, **data)
    assert answer.status_code == 302, answer.get_data(as_text=True)
    return answer.location


def test_the_whole_way(
    operator: Visitor, operation: Operation, session: Session, portal: Portal
) -> None:
    assert "上传名册" in operator.text("/")
    page = upload(operator, [student(1), student(2)])
    assert "排队等候处理" in operator.text(page)
    work(session, portal)
    shown = operator.text(page)
    assert "确认保存 2 行" in shown
    assert "310104" in shown
    assert student(1)["证件号码*"] not in shown
    assert "核对名册" in operator.text("/")
    assert session.query(Student).count() == 0
    session.commit()

    operator.post(f"{page}/confirm")
    work(session, portal)
    assert "新增 2 名" in operator.text(page)

    assert "生成 1 份团体申报" in operator.text("/school/applications/plan")
    listed = operator.post("/school/applications/generate", follow=False).location
    assert "正在生成" in operator.text(listed) or "排队等候" in operator.text(listed)
    work(session, portal)
    assert "已生成 1 份团体申报草稿" in operator.text(listed)

    [application] = session.query(GroupApplication).all()
    key, number = application.id, application.number
    session.commit()
    shown = operator.text(f"/school/applications/{key}")
    assert number in shown
    assert student(1)["证件号码*"] not in shown
    file = operator.get(f"/school/applications/{key}/workbook")
    assert file.headers["Cache-Control"] == "no-store"
    assert "filename*=UTF-8''" in file.headers["Content-Disposition"]
    [sheet] = load_workbook(BytesIO(file.data)).worksheets
    cells = [str(cell) for row in sheet.values for cell in row]
    assert student(1)["证件号码*"] in cells


def test_rejected_rows_need_a_choice(operator: Visitor, session: Session, portal: Portal) -> None:
    page = upload(operator, [student(1), student(2, **{"手机号码*": "12345"})])
    work(session, portal)
    shown = operator.text(page)
    assert "手机号码不对" in shown
    assert "只保存通过的 1 行" in shown
    assert "改正后重新上传" in shown
    refused = operator.post(f"{page}/confirm")
    assert refused.status_code == 409
    assert "1 行未通过检查" in refused.get_data(as_text=True)
    operator.post(f"{page}/confirm", accept_valid="yes")
    work(session, portal)
    assert "未通过的 1 行没有保存" in operator.text(page)


def test_findings_by_kind_and_rows_by_outcome(
    operator: Visitor, session: Session, portal: Portal
) -> None:
    rows = [
        student(1),
        student(2, **{"手机号码*": "12345"}),
        student(3, **{"证件号码*": "310104200903140000"}),
    ]
    page = upload(operator, rows)
    work(session, portal)
    kind = operator.text(f"{page}?show=issues&code=cell.mobile")
    assert "第 3 行" in kind
    assert "第 4 行" not in kind
    passed = operator.text(f"{page}?show=rows&outcome=create")
    assert "学生1" in passed
    assert f"{resident_id(1)[:6]}********{resident_id(1)[-4:]}" in passed.replace(" ", "")
    assert "138****0001" in passed.replace(" ", "")
    for number in (resident_id(1), "13800000001", "310104200903140000"):
        assert number not in passed + operator.text(f"{page}?show=issues")
    assert "没有这样的行" in operator.text(f"{page}?show=rows&outcome=update")


def test_a_form_sent_twice_is_one_roster(operator: Visitor, session: Session) -> None:
    content = workbook([student(1)]).getvalue()
    pages = {send(operator, content, token="one-form") for _ in range(2)}
    assert len(pages) == 1
    assert session.query(Roster).count() == 1


def test_another_file_or_sheet_of_the_same_form_is_another_roster(
    operator: Visitor, session: Session, portal: Portal
) -> None:
    one, two = (workbook(rows).getvalue() for rows in ([student(1)], [student(1), student(2)]))
    sheets = ("", "", "高三", "")
    pages = [
        send(operator, content, token="one-form", sheet=sheet)
        for content, sheet in zip((one, two, one, two), sheets, strict=True)
    ]
    assert len(set(pages)) == 3
    assert pages[1] == pages[3]
    kept = session.scalars(sa.select(Roster.storage_key)).all()
    session.commit()
    assert sorted(portal.storage.names()) == sorted(kept)


def test_an_upload_that_the_database_refuses_is_no_empty_roster(
    app: Flask, operator: Visitor, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.config.update(PROPAGATE_EXCEPTIONS=False)

    def refused(_: object) -> bytes:
        monkeypatch.undo()
        raise IntegrityError("COMMIT", {}, Exception("once"))

    monkeypatch.setattr(audit, "digest_of", refused)
    answer = operator.post(
        "/school/rosters/new", follow=False, file=(workbook([student(1)]), "a.xlsx")
    )
    assert answer.status_code == 500
    assert session.query(Roster).count() == 0


def test_an_upload_without_a_file_says_so(operator: Visitor) -> None:
    answer = operator.post("/school/rosters/new")
    assert answer.status_code == 422
    assert "请选择要上传的名册文件" in answer.get_data(as_text=True)


def test_a_file_that_is_no_roster(operator: Visitor, session: Session, portal: Portal) -> None:
    answer = operator.post(
        "/school/rosters/new", follow=False, file=(BytesIO(b"\x00\x01\x02"), "a.xlsx")
    )
    work(session, portal)
    shown = operator.text(answer.location)
    assert "未通过检查" in shown
    assert "重新上传" in shown


def test_a_sheet_is_chosen_and_the_file_checked_again(
    operator: Visitor, session: Session, portal: Portal
) -> None:
    book = load_workbook(workbook([student(1)]))
    book.copy_worksheet(book["名册"]).title = "烹饪班"
    content = BytesIO()
    book.save(content)
    content.seek(0)
    page = operator.post("/school/rosters/new", follow=False, file=(content, "两张.xlsx")).location
    work(session, portal)
    shown = operator.text(page)
    assert "<option>名册</option>" in shown
    assert "<option>烹饪班</option>" in shown
    again = operator.post(f"{page}/sheet", follow=False, sheet="烹饪班").location
    work(session, portal)
    assert "读取的工作表“烹饪班”" in operator.text(again)
    assert "已放弃" in operator.text(page)


def test_a_roster_is_given_up(operator: Visitor, session: Session, portal: Portal) -> None:
    page = upload(operator, [student(1)])
    work(session, portal)
    assert "已放弃名册" in operator.post(f"{page}/discard").get_data(as_text=True)
    assert "没有写入任何学生" in operator.text(page)


def test_wrong_cells_come_back_marked(operator: Visitor, session: Session, portal: Portal) -> None:
    page = upload(operator, [student(1), student(2, **{"手机号码*": "12345"})])
    work(session, portal)
    book = load_workbook(BytesIO(operator.get(f"{page}/errors").data))
    comments = [cell.comment for row in book["名册"].iter_rows() for cell in row if cell.comment]
    assert len(comments) == 1
    assert "手机号码" in comments[0].text


def test_stopping_a_check_gives_the_roster_up(operator: Visitor, session: Session) -> None:
    page = upload(operator, [student(1)])
    [job] = session.query(Job).all()
    key = job.id
    session.commit()
    assert "已放弃" in operator.post(f"/school/jobs/{key}/cancel").get_data(as_text=True)
    assert "已放弃" in operator.text(page)


def test_progress_asks_for_the_page_when_the_job_has_ended(
    operator: Visitor, session: Session, portal: Portal
) -> None:
    upload(operator, [student(1)])
    [job] = session.query(Job).all()
    key = job.id
    session.commit()
    running_card = operator.get(f"/school/jobs/{key}/progress")
    assert "HX-Refresh" not in running_card.headers
    assert "every 1s" in running_card.get_data(as_text=True)
    work(session, portal)
    assert operator.get(f"/school/jobs/{key}/progress").headers["HX-Refresh"] == "true"


def test_what_waits_and_what_is_checked_have_their_words(
    operator: Visitor, session: Session, portal: Portal
) -> None:
    page = upload(operator, [student(1)])
    [job] = session.query(Job).all()
    card = f"/school/jobs/{job.id}/progress?seen=queued"
    session.commit()
    assert "等待检查" in operator.text(page)
    assert "HX-Refresh" not in operator.get(card).headers
    job.state, job.total = JobState.RUNNING, 1
    session.commit()
    assert operator.get(card).headers["HX-Refresh"] == "true"  # the page around it says so, too
    shown = operator.text(page)
    assert "检查中" in shown and "正在逐行检查" in shown and "等待检查" not in shown
    assert "<strong>0</strong> / 1 行" in shown


def test_a_job_without_rows_counts_none(
    operator: Visitor, session: Session, portal: Portal
) -> None:
    save(operator, session, portal, [student(1)])
    listed = operator.post("/school/applications/generate", follow=False).location
    session.query(Job).filter_by(state=JobState.QUEUED).one().state = JobState.RUNNING
    session.commit()
    shown = operator.text(listed)
    assert "正在生成团体申报" in shown
    assert "0</strong>" not in shown


def test_nothing_is_offered_to_be_saved_where_nothing_passed(
    operator: Visitor, session: Session, portal: Portal
) -> None:
    page = upload(operator, [student(1, **{"手机号码*": "12345"})])
    work(session, portal)
    shown = operator.text(page)
    assert "1 行未通过" in shown
    assert "只保存" not in shown and "0 行" not in shown
    assert "改正后重新上传" in shown


def save(operator: Visitor, session: Session, portal: Portal, rows: list[dict[str, str]]) -> None:
    page = upload(operator, rows)
    work(session, portal)
    operator.post(f"{page}/confirm")
    work(session, portal)


def test_the_plan_says_why(operator: Visitor, session: Session, portal: Portal) -> None:
    save(operator, session, portal, [student(1, **{"毕业年月*": "2029-06"})])
    shown = operator.text("/school/applications/plan")
    assert "不能申报 1 名" in shown
    assert "毕业学年" in shown
    assert 'href="/clauses/n401-1"' in shown
    assert 'href="/school/rosters/new">更新名册</a>' in shown


def test_a_permission_that_is_missing_is_asked_for_here(
    operator: Visitor, session: Session, portal: Portal
) -> None:
    save(operator, session, portal, [student(1)])
    session.query(Permission).delete()
    session.commit()
    shown = operator.text("/school/applications/plan")
    assert "请在“账户与权限”中申请" in shown
    assert 'href="/school/permissions/new">申请权限</a>' in shown


def test_a_body_is_chosen_where_several_would_do(
    operator: Visitor, operation: Operation, session: Session, portal: Portal
) -> None:
    second = Body(
        uscc=uscc(13),
        name="示例第二培训评价组织",
        type=operation.social.type,
        filed_from=operation.social.filed_from,
        filed_until=operation.social.filed_until,
        state=operation.social.state,
    )
    session.add(second)
    session.flush()
    carried = operation.social.projects[0]
    session.add(BodyProject(body_id=second.id, basis=carried.basis, level=4, **DRINKS))
    session.commit()
    save(operator, session, portal, [student(1)])
    shown = operator.text("/school/applications/plan")
    assert "1 名学生等待选定" in shown
    specialty = operation.school.specialties[0].id
    key = second.id
    session.commit()
    form: dict[str, Any] = {"body": str(key), "from": "plan"}
    chosen = operator.post(f"/school/specialties/{specialty}/body", **form)
    assert "已选定示例第二培训评价组织" in chosen.get_data(as_text=True)
    assert "生成 1 份团体申报" in chosen.get_data(as_text=True)


def test_another_day_is_a_preview(operator: Visitor, session: Session, portal: Portal) -> None:
    save(operator, session, portal, [student(1)])
    shown = operator.text("/school/applications/plan?on=2027-05-01")
    assert "2027-05-01（周六）" in shown
    assert "生成只按办理当天" in shown
    assert 'action="/school/applications/generate"' not in shown


def test_generating_twice_at_once_is_one_job(
    operator: Visitor, session: Session, portal: Portal
) -> None:
    save(operator, session, portal, [student(1)])
    for _ in range(2):
        operator.post("/school/applications/generate")
    assert session.query(Job).where(Job.kind == "applications-generate").count() == 1


@pytest.mark.parametrize(
    "path",
    ["/school/", "/school/rosters", "/school/rosters/new", "/school/applications",
     "/school/applications/plan", "/school/specialties", "/school/account", "/help",
     "/register", "/clauses/n17s-2-3"],
)  # fmt: skip
def test_every_page_opens_before_there_is_anything(operator: Visitor, path: str) -> None:
    assert '<main id="main"' in operator.text(path)


def test_the_register_marks_what_is_not_in_force(
    app: Flask, operation: Operation, session: Session
) -> None:
    operation.social.filed_until = operation.social.filed_from
    session.commit()
    shown = Visitor(app).text("/register?occupation=调饮师&level=4")
    assert "示例社会培训评价组织" in shown
    assert "备案到期" in shown
    assert "没有符合条件" in Visitor(app).text("/register?occupation=不存在的职业")
    assert "没有登记项目" in Visitor(app).text("/register?body=示例企业")


def test_the_template_comes_with_the_schools_name(operator: Visitor) -> None:
    file = operator.get("/school/rosters/template")
    assert load_workbook(BytesIO(file.data)).sheetnames
