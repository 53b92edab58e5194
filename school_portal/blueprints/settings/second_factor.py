"""One's own second factor: set up, recovery codes, an end."""

from __future__ import annotations

import segno
from flask import flash, redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from school_portal.blueprints.identity import actor, audience, fresh
from school_portal.blueprints.rendering import PORTAL_NAME
from school_portal.blueprints.settings.blueprint import blueprint
from school_portal.blueprints.settings.forms import ConfirmCodeForm
from school_portal.extensions import db
from school_portal.models import Role, User
from school_portal.services import second_factor as service
from school_portal.services.access import Refused
from school_portal.services.portal import current_portal


@blueprint.get("/second-factor")
@audience(*Role)
def second_factor() -> str:
    return _page(ConfirmCodeForm())


@blueprint.post("/second-factor/start")
@audience(*Role)
def start_second_factor() -> Response:
    service.start(db.session(), current_portal(), _user())
    db.session.commit()
    return redirect(url_for("settings.second_factor"))


@blueprint.post("/second-factor/confirm")
@audience(*Role)
def confirm_second_factor() -> str | tuple[str, int]:
    session, form = db.session(), ConfirmCodeForm()
    if form.validate():
        try:
            codes = service.confirm(session, current_portal(), _user(), form.code.data or "")
        except Refused as refusal:
            form.code.errors = [str(refusal)]
        else:
            session.commit()
            return render_template("settings/recovery_codes.html", codes=codes)
    return _page(form), 422


@blueprint.post("/second-factor/codes")
@audience(*Role)
@fresh
def renew_recovery_codes() -> str:
    codes = service.renew_codes(db.session(), current_portal(), _user())
    db.session.commit()
    return render_template("settings/recovery_codes.html", codes=codes)


@blueprint.post("/second-factor/remove")
@audience(*Role)
@fresh
def remove_second_factor() -> Response:
    session, user = db.session(), _user()
    service.remove(session, actor(), user, current_portal().clock())
    session.commit()
    flash("已停用第二重验证，今后登录只需密码。", "good")
    return redirect(url_for("settings.second_factor"))


def _user() -> User:
    return db.session.get_one(User, actor().user_id)


def _page(form: ConfirmCodeForm) -> str:
    user = _user()
    secret, address = service.address(current_portal(), user, PORTAL_NAME) or (None, None)
    return render_template(
        "settings/second_factor.html",
        form=form,
        user=user,
        duty=current_user.duty,
        left=service.codes_left(db.session(), user),
        secret=secret,
        picture=segno.make_qr(address, error="m").svg_data_uri(scale=4) if address else None,
    )
