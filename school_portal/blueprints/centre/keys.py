"""A school's renewed key pairs at the centre: accepted, or refused with a reason."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from school_portal.blueprints.centre.blueprint import blueprint
from school_portal.blueprints.centre.schools import school_of
from school_portal.blueprints.decisions import ReasonForm, carried_out
from school_portal.blueprints.identity import actor, audience, fresh
from school_portal.domain.workflow import Role
from school_portal.extensions import db
from school_portal.models import SchoolKey
from school_portal.services import school_keys
from school_portal.services.portal import current_portal


def _key(school_id: int, key_id: int) -> SchoolKey:
    return school_keys.one_of(db.session(), school_of(school_id), key_id)


def _back(told: str, kind: str, school_id: int) -> Response:
    flash(told, kind)
    return redirect(url_for("centre.school", school_id=school_id, _anchor="keys"))


@blueprint.post("/schools/<int:school_id>/keys/<int:key_id>/accept")
@audience(Role.CENTRE)
@fresh
def accept_key(school_id: int, key_id: int) -> Response:
    found = _key(school_id, key_id)
    school_keys.accept(db.session(), current_portal(), actor(), found)
    db.session.commit()
    return _back(f"“{found.school.name}”的密钥已核准，现在起可以使用。", "good", school_id)


@blueprint.get("/schools/<int:school_id>/keys/<int:key_id>/refuse")
@audience(Role.CENTRE)
def why_refuse_key(school_id: int, key_id: int) -> str:
    return _reason_page(_key(school_id, key_id), ReasonForm())


def _reason_page(found: SchoolKey, form: ReasonForm) -> str:
    return render_template("centre/key_refuse.html", key=found, form=form)


@blueprint.post("/schools/<int:school_id>/keys/<int:key_id>/refuse")
@audience(Role.CENTRE)
@fresh
def refuse_key(school_id: int, key_id: int) -> tuple[str, int] | Response:
    found, form = _key(school_id, key_id), ReasonForm()
    session, portal, reason = db.session(), current_portal(), form.reason.data or ""
    if not form.validate() or not carried_out(
        form, lambda: school_keys.refuse(session, portal, actor(), found, reason)
    ):
        return _reason_page(_key(school_id, key_id), form), 422
    return _back(f"“{found.school.name}”的密钥未予核准，已告知学校。", "info", school_id)
