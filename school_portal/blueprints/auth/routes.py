"""Name, password and code; a session on the server."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, session, url_for
from flask_login import current_user, logout_user
from werkzeug.wrappers import Response as Redirect

from school_portal.blueprints.auth import ca, certificate, invitation, passkey
from school_portal.blueprints.auth.blueprint import blueprint
from school_portal.blueprints.auth.forms import CodeForm, SignInForm
from school_portal.blueprints.auth.onward import awaited_sign_in, enter
from school_portal.blueprints.http import address
from school_portal.blueprints.identity import paused, public
from school_portal.blueprints.limits import SIGN_INS, SIGN_INS_OF_A_NAME
from school_portal.domain.texts import trimmed
from school_portal.extensions import db
from school_portal.services import second_factor, sign_ins
from school_portal.services.lockouts import Attempt, Locked
from school_portal.services.portal import current_portal

__all__ = ["blueprint", "ca", "certificate", "invitation", "passkey"]

REFUSED = "用户名或密码不对，请核对后再试。多次不对会暂停登录一段时间。"

WRONG_CODE = "验证码不对或已经用过，请等应用显示下一个验证码后再填。"

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
        attempt = Attempt(trimmed(form.username.data or ""), address())
        try:
            known = sign_ins.sign_in(
                db.session(), current_portal(), attempt, form.password.data or ""
            )
            db.session.commit()
            if known:
                return enter(known, form.next.data)
            form.form_errors.append(REFUSED)
        except Locked as locked:
            form.form_errors.append(paused(locked))
            status = 429
    return render_template("auth/sign_in.html", form=form), status


@blueprint.get("/code")
@public
def code() -> str | Redirect:
    awaited = awaited_sign_in()
    if awaited is None:
        return redirect(url_for("auth.sign_in"))
    form = CodeForm(next=request.args.get("next", ""))
    return render_template("auth/code.html", form=form, user=awaited.user)


@blueprint.post("/code")
@public
@SIGN_INS
def check_code() -> Answer:
    awaited, form, status = awaited_sign_in(), CodeForm(), 422
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
                return enter(known, form.next.data)
            form.code.errors = [WRONG_CODE]
        except Locked as locked:
            form.form_errors.append(paused(locked))
            status = 429
    return render_template("auth/code.html", form=form, user=awaited.user), status


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
