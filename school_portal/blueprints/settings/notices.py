"""One's own notices, and where they are mailed."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from school_portal.blueprints.identity import actor, audience
from school_portal.blueprints.paging import page_of
from school_portal.blueprints.settings.blueprint import blueprint
from school_portal.blueprints.settings.forms import ProfileForm
from school_portal.extensions import db
from school_portal.models import Role, User
from school_portal.services import accounts
from school_portal.services import notices as service
from school_portal.services.access import Refused
from school_portal.services.portal import current_portal


@blueprint.get("/notices")
@audience(*Role)
def notices() -> str:
    session = db.session()
    page = page_of(service.count(session, actor()))
    return render_template(
        "settings/notices.html",
        notices=service.page_of(session, actor(), limit=page.size, offset=page.offset),
        unread=service.count(session, actor(), unread=True),
        page=page,
    )


@blueprint.post("/notices/read")
@audience(*Role)
def read_all_notices() -> Response:
    service.read(db.session(), current_portal(), actor(), None)
    db.session.commit()
    return redirect(url_for("settings.notices"))


@blueprint.post("/notices/<int:notice_id>/read")
@audience(*Role)
def read_notice(notice_id: int) -> Response:
    service.read(db.session(), current_portal(), actor(), notice_id)
    db.session.commit()
    return redirect(url_for("settings.notices"))


@blueprint.get("/profile")
@audience(*Role)
def profile() -> str:
    user = db.session.get_one(User, actor().user_id)
    form = ProfileForm(email=accounts.email_of(current_portal(), user))
    return render_template("settings/profile.html", form=form, user=user)


@blueprint.post("/profile")
@audience(*Role)
def save_profile() -> Response | tuple[str, int]:
    session, form = db.session(), ProfileForm()
    user = session.get_one(User, actor().user_id)
    if form.validate():
        try:
            accounts.set_email(session, current_portal(), actor(), user, form.email.data or "")
        except Refused as refusal:
            form.email.errors = [str(refusal)]
        else:
            mailed = user.email_sealed is not None
            session.commit()
            flash(
                "已保存，今后的通知同时发到邮箱。" if mailed else "已保存，不再发送邮件。", "good"
            )
            return redirect(url_for("settings.profile"))
    return render_template("settings/profile.html", form=form, user=user), 422
