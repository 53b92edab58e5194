"""Name, password and code; a session on the server."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, session, url_for
from flask_login import current_user, login_user, logout_user
from werkzeug.wrappers import Response as Redirect

from school_portal.blueprints.auth import ca, invitation
from school_portal.blueprints.auth.blueprint import blueprint
from school_portal.blueprints.auth.forms import CodeForm, SignInForm
from school_portal.blueprints.auth.onward import safe_next
from school_portal.blueprints.http import address
from school_portal.blueprints.identity import LOCKED, SignedIn, public
from school_portal.blueprints.limits import SIGN_INS, SIGN_INS_OF_A_NAME
from school_portal.blueprints.rendering import moment
from school_portal.extensions import db
from school_portal.models import SignIn
from school_portal.services import second_factor, sign_ins
from school_portal.services.lockouts import Attempt, Locked
from school_portal.services.portal import current_portal
from school_portal.services.sign_ins import Opened

__all__ = ["blueprint", "ca", "invitation"]

REFUSED = "用户名或密码不对，请核对后再试。多次不对会暂停登录一段时间。"

WRONG_CODE = "验证码不对或已经用过，请等应用显示下一个验证码后再填。"
AWAITED = "awaited"  # of the session: the sign-in whose code is awaited

Answer = tuple[str, int] | Redirect


@blueprint.get("/sign-in")
@public
def sign_in() -> str | Redirect:
    if current_user.is_authenticated:
        return redirect(url_for("entrance.entrance"))
    form = SignInForm(next=request.args.get("next", ""))
    return render_template("auth/sign_in.html", form=form)


@blueprint.post("/sign-in")
@public
@SIGN_INS
@SIGN_INS_OF_A_NAME
def check_sign_in() -> Answer:
    form, status = SignInForm(), 422
    if form.validate():
        attempt = Attempt((form.username.data or "").strip(), address())
        try:
            known = sign_ins.sign_in(
                db.session(), current_portal(), attempt, form.password.data or ""
            )
            db.session.commit()
            if known:
                return _enter(known, form.next.data)
            form.form_errors.append(REFUSED)
        except Locked as locked:
            form.form_errors.append(LOCKED.format(moment(locked.until)))
            status = 429
    return render_template("auth/sign_in.html", form=form), status


@blueprint.get("/code")
@public
def code() -> str | Redirect:
    if _awaited() is None:
        return redirect(url_for("auth.sign_in"))
    return render_template("auth/code.html", form=CodeForm(next=request.args.get("next", "")))


@blueprint.post("/code")
@public
@SIGN_INS
def check_code() -> Answer:
    awaited, form, status = _awaited(), CodeForm(), 422
    if awaited is None:
        flash("登录已超时，请重新填写用户名和密码。", "warn")
        return redirect(url_for("auth.sign_in"))
    if form.validate():
        try:
            known = second_factor.complete(
                db.session(), current_portal(), awaited, form.code.data or "", address()
            )
            db.session.commit()
            if known:
                return _enter(known, form.next.data)
            form.code.errors = [WRONG_CODE]
        except Locked as locked:
            form.form_errors.append(LOCKED.format(moment(locked.until)))
            status = 429
    return render_template("auth/code.html", form=form), status


def _awaited() -> SignIn | None:
    return sign_ins.awaiting_code(db.session(), session.get(AWAITED, ""), current_portal().clock())


def _enter(known: Opened, target: str | None) -> Redirect:
    """On to where the person was going, by way of the code where one is awaited."""
    session.clear()  # nothing from before the sign-in is kept
    token, opened = known
    if opened.proved_at is None:
        session[AWAITED] = token
        return redirect(url_for("auth.code", next=target or None))
    login_user(SignedIn(token, opened))
    return redirect(safe_next(target))


@blueprint.post("/sign-out")
@public
def sign_out() -> Redirect:
    if current_user.is_authenticated:
        sign_ins.sign_out(db.session(), current_user.token, current_portal().clock())
        db.session.commit()
        logout_user()
    session.clear()
    flash("您已退出。", "good")
    answer = redirect(url_for("auth.sign_in"))
    # Not "cookies": they would go for every host of the domain. Pages are in no cache.
    answer.headers["Clear-Site-Data"] = '"storage"'
    return answer
