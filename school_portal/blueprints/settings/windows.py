"""Windows that the receiving offices open beyond April and October."""

from __future__ import annotations

from datetime import date
from typing import cast

from flask import flash, redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from school_portal.blueprints.identity import actor, audience
from school_portal.blueprints.settings.blueprint import blueprint
from school_portal.blueprints.settings.forms import WindowForm
from school_portal.domain.specialty_evaluation import RECEIVERS
from school_portal.extensions import db
from school_portal.models import Role, School
from school_portal.services import extra_windows as service
from school_portal.services.access import Refused
from school_portal.services.portal import current_portal
from school_portal.services.windows import windows_of

OFFICES = tuple(RECEIVERS.values())


@blueprint.get("/windows")
@audience(*OFFICES, Role.CENTRE, Role.BUREAU, Role.ADMIN)
def windows() -> str:
    return _page(_form() if current_user.role in OFFICES else None)


@blueprint.post("/windows")
@audience(*OFFICES)
def open_window() -> Response | tuple[str, int]:
    session, form = db.session(), _form()
    if form.validate():
        starts_on, ends_on = cast(date, form.starts_on.data), cast(date, form.ends_on.data)
        school = session.get(School, form.school.data) if form.school.data else None
        reason = form.reason.data or ""
        try:
            service.open_(session, current_portal(), actor(), starts_on, ends_on, reason, school)
        except Refused as refusal:
            form.form_errors = [str(refusal)]
        else:
            session.commit()
            flash(f"已增开受理期：{starts_on} 至 {ends_on} 24:00。", "good")
            return redirect(url_for("settings.windows"))
    return _page(form), 422


@blueprint.post("/windows/<int:window_id>/end")
@audience(*OFFICES)
def end_window(window_id: int) -> Response:
    ended = service.end(db.session(), current_portal(), actor(), window_id)
    db.session.commit()
    flash(
        f"{ended.starts_on} 至 {ended.ends_on} 的受理期已提前结束，已收到的申请不受影响。", "good"
    )
    return redirect(url_for("settings.windows"))


def _form() -> WindowForm:
    form = WindowForm()
    found = service.schools(db.session(), service.level_of(actor()))
    form.school.choices = [(0, "所有学校"), *((school.id, school.name) for school in found)]
    return form


def _page(form: WindowForm | None) -> str:
    session, portal = db.session(), current_portal()
    return render_template(
        "settings/windows.html",
        form=form,
        extra=service.listed(session, actor()),
        windows=windows_of(session, portal.clock(), current_user.role, None),
        now=portal.clock(),
        today=portal.today(),
    )
