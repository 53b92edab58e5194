"""One's own password."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from school_portal.blueprints.identity import actor, audience, paused
from school_portal.blueprints.settings.blueprint import blueprint
from school_portal.blueprints.settings.forms import PasswordForm
from school_portal.extensions import db
from school_portal.models import Role, User
from school_portal.services import accounts
from school_portal.services.access import Refused
from school_portal.services.lockouts import Locked
from school_portal.services.portal import current_portal


@blueprint.get("/password")
@audience(*Role)
def password() -> str:
    return _page(PasswordForm())


@blueprint.post("/password")
@audience(*Role)
def change_password() -> Response | tuple[str, int]:
    session, form = db.session(), PasswordForm()
    if form.validate():
        user = session.get_one(User, actor().user_id)
        old, new = form.old.data or "", form.new.data or ""
        try:
            accounts.change_password(
                session, current_portal(), user, old, new, current_user.sign_in_id
            )
        except Refused as refusal:
            form.form_errors.append(str(refusal))
        except Locked as locked:
            form.form_errors.append(paused(locked))
        session.commit()
        if not form.form_errors:
            flash("密码已更改，您在其他地方的登录都已结束。", "good")
            return redirect(url_for("entrance.entrance"))
    return _page(form), 422


def _page(form: PasswordForm) -> str:
    return render_template("settings/password.html", form=form, duty=current_user.duty)
