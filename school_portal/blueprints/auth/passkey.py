"""Passkeys at the door: in place of the password and the code, or of the code alone."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as Redirect

from school_portal.blueprints import visits
from school_portal.blueprints.auth.blueprint import blueprint
from school_portal.blueprints.auth.forms import CodeForm, SignInForm
from school_portal.blueprints.auth.onward import awaited_sign_in, enter
from school_portal.blueprints.errors import problem
from school_portal.blueprints.http import address
from school_portal.blueprints.identity import PASSKEY, paused, public
from school_portal.blueprints.limits import KEYS, SIGN_INS
from school_portal.blueprints.pages import on_page
from school_portal.extensions import db
from school_portal.models import User
from school_portal.services import passkeys, second_factor
from school_portal.services.challenges import Use
from school_portal.services.lockouts import Locked
from school_portal.services.passkeys import Malformed
from school_portal.services.portal import current_portal
from school_portal.services.sign_ins import Opened

REFUSED = "通行密钥没有通过核对或已超过两分钟，请再试一次，或改用其他方式。"

Answer = tuple[str, int] | Redirect


class Nobody(Exception):
    """Who would use a passkey is not known, or not any more."""


@blueprint.post("/passkey/options")
@public
@KEYS
def passkey_options() -> Response:
    """What the browser needs to use a passkey; `use` says what for."""
    try:
        use = Use(request.form.get("use", ""))
        known = USERS[use]
    except (ValueError, KeyError):
        return problem(400, "请求无法识别", "请刷新本页后重试。", "request.invalid")
    try:
        user = known()
    except Nobody:
        return problem(409, "登录已超时", "请刷新本页，重新登录。", "request.sign-in")
    visit = visits.begun()
    options = passkeys.to_use(db.session(), current_portal(), visit, use, user)
    db.session.commit()
    return visits.keep(Response(options, content_type="application/json"), visit)


@blueprint.post("/passkey")
@on_page("auth.sign_in")
@public
@SIGN_INS
def check_passkey() -> Answer:
    def begun(answer: passkeys.Answer) -> Opened | None:
        return passkeys.sign_in(db.session(), current_portal(), answer, address())

    return _checked(SignInForm(), "auth/sign_in.html", Use.PASSKEY_SIGN_IN, begun)


@blueprint.post("/code/passkey")
@on_page("auth.code")
@public
@SIGN_INS
def check_code_passkey() -> Answer:
    awaited = awaited_sign_in()
    if awaited is None:
        flash("登录已超时，请重新填写用户名和密码。", "warn")
        return redirect(url_for("auth.sign_in"))

    def begun(answer: passkeys.Answer) -> Opened | None:
        return second_factor.complete(db.session(), current_portal(), awaited, answer, address())

    return _checked(CodeForm(), "auth/code.html", Use.PASSKEY_CODE, begun, user=awaited.user)


def _checked(
    form: SignInForm | CodeForm,
    template: str,
    use: Use,
    begun: Callable[[passkeys.Answer], Opened | None],
    **shown: User,
) -> Answer:
    """On with the sign-in that the answer opens, or the page again with what is wrong."""
    error, status = REFUSED, 422
    try:
        answer = passkeys.read(request.form.get(PASSKEY, ""), visits.kept(), use)
        known = begun(answer)
        db.session.commit()
        if known:
            return enter(known, form.next.data)
    except Malformed:
        error = "浏览器没有给出通行密钥，请点“用通行密钥登录”，按浏览器的提示操作。"
    except Locked as locked:
        error, status = paused(locked), 429
    form.form_errors.append(error)
    return render_template(template, form=form, **shown), status


def _awaited() -> User:
    awaited = awaited_sign_in()
    if awaited is None:
        raise Nobody
    return awaited.user


def _signed_in() -> User:
    if not current_user.is_authenticated:
        raise Nobody
    return db.session.get_one(User, current_user.actor.user_id)


# Whose passkeys are asked for.
USERS: dict[Use, Callable[[], User | None]] = {
    Use.PASSKEY_SIGN_IN: lambda: None,  # of whoever has one
    Use.PASSKEY_CODE: _awaited,
    Use.PASSKEY_PROOF: _signed_in,
}
