"""One's own second factors: set up, recovery codes, an end."""

from __future__ import annotations

import segno
from flask import Response as Answer
from flask import flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from school_portal.blueprints import visits
from school_portal.blueprints.identity import actor, audience, fresh
from school_portal.blueprints.pages import on_page
from school_portal.blueprints.rendering import PORTAL_NAME
from school_portal.blueprints.settings.blueprint import blueprint
from school_portal.blueprints.settings.forms import ConfirmCodeForm, PasskeyForm
from school_portal.extensions import db
from school_portal.models import Role, User
from school_portal.services import passkeys
from school_portal.services import second_factor as service
from school_portal.services.access import Refused
from school_portal.services.portal import current_portal

Shown = str | tuple[str, int] | Response
CREDENTIAL = "credential"  # the field with what the browser made; `passkey` is a proof's


@blueprint.get("/second-factor")
@audience(*Role)
def second_factor() -> str:
    return _page(ConfirmCodeForm(), PasskeyForm())


@blueprint.post("/second-factor/start")
@on_page("settings.second_factor")
@audience(*Role)
@fresh
def start_second_factor() -> Response:
    service.start(db.session(), current_portal(), _user())
    db.session.commit()
    return redirect(url_for("settings.second_factor"))


@blueprint.post("/second-factor/confirm")
@on_page("settings.second_factor")
@audience(*Role)
def confirm_second_factor() -> Shown:
    session, form = db.session(), ConfirmCodeForm()
    if form.validate():
        code, keep = form.code.data or "", current_user.sign_in_id
        try:
            codes = service.confirm(session, current_portal(), _user(), code, keep)
        except Refused as refusal:
            form.code.errors = [str(refusal)]
        else:
            session.commit()
            return _set_up(codes)
    return _page(form, PasskeyForm(formdata=None)), 422


@blueprint.post("/second-factor/passkeys/options")
@audience(*Role)
def passkey_options() -> Answer:
    """What the browser needs to make a passkey."""
    visit = visits.begun()
    options = passkeys.to_add(db.session(), current_portal(), _user(), visit, PORTAL_NAME)
    db.session.commit()
    return visits.keep(Answer(options, content_type="application/json"), visit)


@blueprint.post("/second-factor/passkeys")
@on_page("settings.second_factor")
@audience(*Role)
@fresh
def add_passkey() -> Shown:
    session, form = db.session(), PasskeyForm()
    if form.validate():
        made, name = request.form.get(CREDENTIAL, ""), form.name.data or ""
        portal, visit, keep = current_portal(), visits.kept(), current_user.sign_in_id
        try:
            codes = service.add_passkey(session, portal, _user(), made, visit, name, keep)
        except Refused as refusal:
            form.form_errors = [str(refusal)]
        session.commit()
        if not form.form_errors:
            return _set_up(codes)
    return _page(ConfirmCodeForm(formdata=None), form), 422


@blueprint.post("/second-factor/passkeys/<int:passkey_id>/remove")
@on_page("settings.second_factor")
@audience(*Role)
@fresh
def remove_passkey(passkey_id: int) -> Response:
    session, keep = db.session(), current_user.sign_in_id
    service.remove_passkey(session, current_portal(), _user(), passkey_id, keep)
    session.commit()
    flash("已删除通行密钥，您在其他地方的登录都已结束。请在设备上也删除它。", "good")
    return redirect(url_for("settings.second_factor"))


@blueprint.post("/second-factor/codes")
@on_page("settings.second_factor")
@audience(*Role)
@fresh
def renew_recovery_codes() -> str:
    codes = service.renew_codes(db.session(), current_portal(), _user())
    db.session.commit()
    return render_template("settings/recovery_codes.html", codes=codes)


@blueprint.post("/second-factor/remove")
@on_page("settings.second_factor")
@audience(*Role)
@fresh
def remove_second_factor() -> Response:
    session, keep = db.session(), current_user.sign_in_id
    service.remove_totp(session, current_portal(), _user(), keep)
    session.commit()
    flash("已停用验证应用，您在其他地方的登录都已结束。", "good")
    return redirect(url_for("settings.second_factor"))


def _user() -> User:
    return db.session.get_one(User, actor().user_id)


def _set_up(codes: list[str]) -> Shown:
    """The recovery codes of a first factor; there are some already with a second one."""
    if codes:
        return render_template("settings/recovery_codes.html", codes=codes)
    flash("已启用，您在其他地方的登录都已结束。原来的恢复码仍然有效。", "good")
    return redirect(url_for("settings.second_factor"))


def _page(form: ConfirmCodeForm, passkey_form: PasskeyForm) -> str:
    user = _user()
    secret, address = service.address(current_portal(), user, PORTAL_NAME) or (None, None)
    return render_template(
        "settings/second_factor.html",
        form=form,
        passkey_form=passkey_form,
        user=user,
        duty=current_user.duty,
        left=service.codes_left(db.session(), user),
        secret=secret,
        picture=segno.make_qr(address, error="m").svg_data_uri(scale=4) if address else None,
    )
