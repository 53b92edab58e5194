"""Where an invitation link leads: the person sets name and password."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from school_portal.blueprints.auth.blueprint import blueprint
from school_portal.blueprints.auth.forms import AcceptForm
from school_portal.blueprints.identity import public
from school_portal.blueprints.limits import INVITATIONS
from school_portal.extensions import db
from school_portal.extensions.web import csrf
from school_portal.models import Invitation
from school_portal.services import invitations
from school_portal.services.access import Refused
from school_portal.services.portal import current_portal


@blueprint.get("/invitation/<token>")
@public
@INVITATIONS
def invitation(token: str) -> tuple[str, int] | str:
    found = _find(token)
    if found is None:
        return _gone()
    user = found.user
    known = "" if user.name == user.username else user.name
    return _page(token, found, AcceptForm(name=known))


@blueprint.post("/invitation/<token>")
@public
@csrf.exempt  # from the check of the referrer, which this page does not tell; the form has a token
@INVITATIONS
def accept_invitation(token: str) -> tuple[str, int] | Response:
    session, form, found = db.session(), AcceptForm(), _find(token)
    if found is None:
        return _gone()
    if form.validate():
        name, new = form.name.data or "", form.new.data or ""
        try:
            invitations.accept(session, current_portal(), found, name, new)
        except Refused as refusal:
            form.form_errors = [str(refusal)]
        else:
            session.commit()
            flash("已设置密码，请用用户名和新密码登录。", "good")
            return redirect(url_for("auth.sign_in"))
    return _page(token, found, form), 422


def _find(token: str) -> Invitation | None:
    return invitations.find(db.session(), token, current_portal().clock())


def _page(token: str, found: Invitation, form: AcceptForm) -> str:
    return render_template("auth/invitation.html", form=form, token=token, user=found.user)


def _gone() -> tuple[str, int]:
    return render_template("auth/invitation_gone.html"), 404
