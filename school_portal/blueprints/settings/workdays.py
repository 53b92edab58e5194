"""The years of working days: the shipped table and what an administrator loaded."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response

from school_portal.blueprints.asking import narrowed_by
from school_portal.blueprints.identity import actor, audience
from school_portal.blueprints.limits import UPLOADS
from school_portal.blueprints.settings.blueprint import blueprint
from school_portal.blueprints.settings.forms import WorkdaysForm
from school_portal.domain.workdays import NoticeRefused
from school_portal.extensions import db
from school_portal.models import Role
from school_portal.services import calendars as service
from school_portal.services.access import Refused
from school_portal.services.portal import current_portal

_LONGEST_FILE = 64 * 1024  # octets: a year's notice has some forty lines


@blueprint.get("/workdays")
@audience(Role.ADMIN)
def workdays() -> str:
    return _page(WorkdaysForm(year=current_portal().today().year + 1))


@blueprint.post("/workdays")
@audience(Role.ADMIN)
@UPLOADS
def load_workdays() -> Response | tuple[str, int]:
    session, form = db.session(), WorkdaysForm()
    if form.validate():
        year, source = form.year.data or 0, form.source.data or ""
        try:
            service.load_year(session, current_portal(), actor(), year, source, _text(form))
        except NoticeRefused as refusal:
            form.days.errors = refusal.errors
        except Refused as refusal:
            form.year.errors = [str(refusal)]
        else:
            session.commit()
            flash(f"已载入 {year} 年的节假日安排。", "good")
            return redirect(url_for("settings.workdays", year=year))
    return _page(form), 422


def _text(form: WorkdaysForm) -> str:
    """What the file holds, where there is one, else what was typed. Raises NoticeRefused."""
    file = form.file.data
    if not isinstance(file, FileStorage) or not file.filename:
        return form.days.data or ""
    content = file.stream.read(_LONGEST_FILE + 1)
    if len(content) > _LONGEST_FILE:
        raise NoticeRefused(["文件过大，不像一年的节假日安排，请核对后重新选择。"])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NoticeRefused(["文件不是 UTF-8 编码，请另存为 UTF-8 后重新选择。"]) from None


def _page(form: WorkdaysForm) -> str:
    session, this_year = db.session(), current_portal().today().year
    years = service.years(session)
    asked = narrowed_by("year", int) or this_year
    return render_template(
        "settings/workdays.html",
        form=form,
        years=years,
        asked=asked,
        shown=next((one for one in years if one.year == asked), None),
        missing=[y for y in (this_year, this_year + 1) if y not in {one.year for one in years}],
    )
