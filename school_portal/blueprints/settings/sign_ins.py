"""One's own sign-ins, and the role that this one acts in."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from school_portal.blueprints.identity import actor, audience
from school_portal.blueprints.settings.blueprint import blueprint
from school_portal.extensions import db
from school_portal.models import Role
from school_portal.services import policies
from school_portal.services import sign_ins as service
from school_portal.services.access import NotFound
from school_portal.services.portal import current_portal


@blueprint.get("/sign-ins")
@audience(*Role)
def sign_ins() -> str:
    session = db.session()
    return render_template(
        "settings/sign_ins.html",
        sign_ins=service.listed(session, actor(), current_portal().clock()),
        policy=policies.current(session),
    )


@blueprint.post("/sign-ins/<int:sign_in_id>/end")
@audience(*Role)
def end_sign_in(sign_in_id: int) -> Response:
    service.end(db.session(), actor(), sign_in_id, current_portal().clock())
    db.session.commit()
    flash("已结束那次登录。", "good")
    return redirect(url_for("settings.sign_ins"))


@blueprint.post("/sign-ins/end-others")
@audience(*Role)
def end_other_sign_ins() -> Response:
    now = current_portal().clock()
    service.end_others(db.session(), actor(), current_user.sign_in_id, now)
    db.session.commit()
    flash("已结束您在其他地方的所有登录。", "good")
    return redirect(url_for("settings.sign_ins"))


@blueprint.post("/role")
@audience(*Role)
def act_as() -> Response:
    try:
        role = Role(request.form.get("role", ""))
    except ValueError:
        raise NotFound("Role") from None
    now = current_portal().clock()
    service.act_as(db.session(), actor(), current_user.sign_in_id, role, now)
    db.session.commit()
    flash(f"现在以“{role.label}”的身份办理。", "good")
    return redirect(url_for("entrance.entrance"))
