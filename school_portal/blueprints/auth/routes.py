"""Name and password; a session on the server."""

from __future__ import annotations

import hashlib

from flask import Response, flash, redirect, render_template, request, session, url_for
from flask_limiter.util import get_remote_address
from flask_login import current_user, login_user, logout_user
from werkzeug.wrappers import Response as Redirect

from school_portal.blueprints.auth import ca
from school_portal.blueprints.auth.blueprint import blueprint
from school_portal.blueprints.auth.forms import SignInForm
from school_portal.blueprints.auth.onward import safe_next
from school_portal.blueprints.identity import SignedIn
from school_portal.extensions import db
from school_portal.extensions.web import limiter
from school_portal.services import accounts
from school_portal.services.portal import current_portal

__all__ = ["blueprint", "ca"]

REFUSED = "用户名或密码不对，请核对后再试。多次不对会暂停登录一段时间。"


def _attempted_name() -> str:
    """Whom an attempt is for, as a hash: names do not go to the limiter's store."""
    name = request.form.get("username", "").strip().casefold()
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def _refused(response: Response) -> bool:
    return response.status_code == 422


@blueprint.get("/sign-in")
def sign_in() -> str | Redirect:
    if current_user.is_authenticated:
        return redirect(url_for("entrance.entrance"))
    form = SignInForm(next=request.args.get("next", ""))
    return render_template("auth/sign_in.html", form=form)


@blueprint.post("/sign-in")
@limiter.limit("60 per minute", key_func=get_remote_address, deduct_when=_refused)
@limiter.limit("10 per 10 minutes", key_func=_attempted_name, deduct_when=_refused)
def check_sign_in() -> tuple[str, int] | Redirect:
    form = SignInForm()
    now = current_portal().clock()
    known = None
    if form.validate():
        name = (form.username.data or "").strip()
        known = accounts.sign_in(db.session(), name, form.password.data or "", now)
        db.session.commit()
        if known is None:
            form.form_errors.append(REFUSED)
    if known is None:
        return render_template("auth/sign_in.html", form=form), 422
    session.clear()  # nothing from before the sign-in is kept
    login_user(SignedIn(*known))
    return redirect(safe_next(form.next.data))


@blueprint.post("/sign-out")
def sign_out() -> Redirect:
    if current_user.is_authenticated:
        accounts.sign_out(db.session(), current_user.token, current_portal().clock())
        db.session.commit()
        logout_user()
    session.clear()
    flash("您已退出。", "good")
    return redirect(url_for("auth.sign_in"))
