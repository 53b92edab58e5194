"""One person's data on request: shown, given out, corrected, deleted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response
from wtforms import SelectField, StringField
from wtforms.validators import InputRequired

from school_portal.blueprints.decisions import carried_out
from school_portal.blueprints.downloads import attachment, workbook
from school_portal.blueprints.identity import actor, audience, own_school
from school_portal.blueprints.limits import PAPERS
from school_portal.blueprints.pages import on_page
from school_portal.blueprints.reveal import WhyForm
from school_portal.blueprints.school.blueprint import blueprint
from school_portal.domain.roster import Enrolment
from school_portal.extensions import db
from school_portal.models import Role, Student
from school_portal.services import access, other_school, personal, personal_changes, tabular
from school_portal.services.portal import current_portal

Answer = tuple[str, int] | Response
SHEETS = (
    ("student", "学生"),
    ("wishes", "申报意向"),
    ("rosters", "名册"),
    ("applications", "团体申报"),
    ("restrictions", "限制措施"),
    ("acts", "办理记录"),
)


class ExportForm(WhyForm):
    """In which form the data is given out, and why."""

    kind = SelectField("文件格式", choices=[("xlsx", "工作簿（xlsx）"), ("json", "JSON")])


class CorrectForm(WhyForm):
    """What may be corrected, and why."""

    name = StringField("姓名", [InputRequired("请填写姓名。")])
    mobile = StringField("手机号码", render_kw={"inputmode": "tel", "autocomplete": "off"})
    enrolment = SelectField("学籍状态", choices=[(one.value, one.label) for one in Enrolment])


def _own(student_id: int) -> Student:
    return access.own(db.session(), actor(), Student, student_id)


def _page(student: Student, form: ExportForm) -> str:
    held = personal.held(db.session(), current_portal(), student)
    return render_template("personal/person.html", held=held, student=student, form=form)


@blueprint.get("/students/<int:student_id>")
@audience(Role.SCHOOL)
def person(student_id: int) -> str:
    return _page(_own(student_id), ExportForm())


@blueprint.post("/students/<int:student_id>/export")
@on_page("school.person")
@audience(Role.SCHOOL)
@PAPERS
def export_person(student_id: int) -> Answer:
    session, form, given = db.session(), ExportForm(), []
    student = _own(student_id)

    def export() -> None:
        why = form.reason.data or ""
        given.append(personal.export(session, current_portal(), actor(), student, why))

    if not form.validate() or not carried_out(form, export):
        return _page(_own(student_id), form), 422
    name = f"个人信息-{student_id}.{form.kind.data}"
    if form.kind.data == "json":
        content = json.dumps(given[0], ensure_ascii=False, indent=2).encode()
        return attachment(BytesIO(content), name, "application/json")
    return workbook(tabular.as_workbook(_sheets(given[0])), name)


def _sheets(
    document: dict[str, Any],
) -> Iterator[tuple[str, list[tuple[str, int]], list[tuple[str, ...]]]]:
    for part, title in SHEETS:
        rows = [document[part]] if part == "student" else document[part]
        headers = [(name, 22) for name in (rows[0] if rows else {"没有记录": ""})]
        yield title, headers, [tuple(row.values()) for row in rows]


@blueprint.get("/students/<int:student_id>/correct")
@audience(Role.SCHOOL)
def edit_person(student_id: int) -> str:
    student = _own(student_id)
    form = CorrectForm(name=student.name, enrolment=student.enrolment_status.value)
    return render_template("personal/correct.html", form=form, student=student)


@blueprint.post("/students/<int:student_id>/correct")
@audience(Role.SCHOOL)
def correct_person(student_id: int) -> Answer:
    session, form, student = db.session(), CorrectForm(), _own(student_id)

    def correct() -> None:
        try:
            personal_changes.correct(
                session,
                current_portal(),
                actor(),
                student,
                name=form.name.data or "",
                mobile=form.mobile.data or "",
                enrolment=Enrolment(form.enrolment.data),
                reason=form.reason.data or "",
            )
        except other_school.HeldElsewhere:
            session.rollback()
            other_school.note(session, current_portal(), own_school().id, 1)
            session.commit()
            raise

    if form.validate() and carried_out(form, correct):
        flash("已更正，原来的内容加密留在办理记录中。", "good")
        return redirect(url_for("school.person", student_id=student_id))
    return render_template("personal/correct.html", form=form, student=_own(student_id)), 422


@blueprint.get("/students/<int:student_id>/delete")
@audience(Role.SCHOOL)
def why_delete(student_id: int) -> str:
    return _delete_page(student_id, WhyForm())


@blueprint.post("/students/<int:student_id>/delete")
@audience(Role.SCHOOL)
def delete_person(student_id: int) -> Answer:
    form, student, done = WhyForm(), _own(student_id), []

    def delete() -> None:
        why = form.reason.data or ""
        done.append(personal_changes.delete(db.session(), current_portal(), actor(), student, why))

    if form.validate() and carried_out(form, delete):
        return render_template("personal/deleted.html", deletion=done[0]), 200
    return _delete_page(student_id, form), 422


def _delete_page(student_id: int, form: WhyForm) -> str:
    student = _own(student_id)
    held = personal.held(db.session(), current_portal(), student)
    return render_template("personal/delete.html", form=form, student=student, held=held)
