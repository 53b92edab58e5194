"""The school's saved students: searched for by what stands in no address, listed, sorted."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import StringField
from wtforms.validators import Length

from school_portal.blueprints.asking import narrowed_by, one_of
from school_portal.blueprints.identity import actor, audience, own_school
from school_portal.blueprints.limits import SEARCHES
from school_portal.blueprints.paging import page_of
from school_portal.blueprints.school.blueprint import blueprint
from school_portal.domain.labels import fold
from school_portal.extensions import db
from school_portal.models import Role
from school_portal.services import personal
from school_portal.services import students as service
from school_portal.services.portal import current_portal

RESIDENT_ID = 18  # characters
SHOWN = {"all": None, "left": False, "planned": True}


class FindForm(FlaskForm):
    """Who is looked for."""

    query = StringField(
        "姓名、学号或证件号码",
        [Length(max=100, message="请填写不超过 100 个字的姓名、学号或证件号码。")],
        description="填写的内容不会出现在网址中；证件号码须完整，查询会记入审计记录。",
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )


@blueprint.get("/students")
@audience(Role.SCHOOL)
def students() -> str:
    text = service.opened_query(current_portal().vault, own_school(), request.args.get("find", ""))
    return _page(FindForm(query=text), text)


@blueprint.post("/students")
@audience(Role.SCHOOL)
@SEARCHES
def find_students() -> Response | tuple[str, int]:
    """On to whose document number it is, or to the list of those who are called so."""
    form, session, portal = FindForm(), db.session(), current_portal()
    if not form.validate():
        return _page(form, ""), 422
    text = (form.query.data or "").strip()
    number = len(fold(text)) == RESIDENT_ID
    if number or service.of_number(session, portal.vault, own_school().id, text):
        found = personal.find(session, portal, actor(), text)
        student_id = found.id if found else None
        session.commit()
        if student_id is not None:
            return redirect(url_for("school.person", student_id=student_id))
        form.query.data = ""
        form.query.errors = ["本校没有这个证件号码的学生，请核对后重新填写。"]
        return _page(form, ""), 422
    find = service.sealed_query(portal.vault, own_school(), text) if text else None
    return redirect(url_for("school.students", find=find, show=request.args.get("show")))


def _page(form: FindForm, text: str) -> str:
    session, vault, school = db.session(), current_portal().vault, own_school()
    show = narrowed_by("show", one_of(*SHOWN)) or "all"
    sort = request.args.get("sort", "number")
    wanted = service.Wanted(text, planned=SHOWN[show])
    counts = service.counts(session, vault, school, wanted)
    page = page_of(counts[show])
    return render_template(
        "school/students.html",
        form=form,
        text=text,
        show=show,
        sort=sort,
        counts=counts,
        page=page,
        listed=service.page(
            session, vault, school, wanted, sort=sort, limit=page.size, offset=page.offset
        ),
    )
