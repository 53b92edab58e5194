"""The CAs that are trusted, their CRLs, and the administrator's word for those past their dates."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from school_portal.blueprints.identity import actor, audience
from school_portal.blueprints.pages import on_page
from school_portal.blueprints.settings.blueprint import blueprint
from school_portal.blueprints.settings.forms import CrlOverrideForm
from school_portal.extensions import db
from school_portal.models import Role
from school_portal.services import ca_state, crl_overrides
from school_portal.services.access import Refused
from school_portal.services.portal import current_portal


@blueprint.get("/ca")
@audience(Role.ADMIN)
def ca() -> str:
    return _page(CrlOverrideForm())


@blueprint.post("/ca/overrides")
@on_page("settings.ca")
@audience(Role.ADMIN)
def override_crls() -> Response | tuple[str, int]:
    session, form = db.session(), CrlOverrideForm()
    if form.validate():
        hours, reason = form.hours.data or 0, form.reason.data or ""
        try:
            crl_overrides.grant(session, current_portal(), actor(), hours, reason)
        except Refused as refusal:
            form.form_errors.append(str(refusal))
        else:
            session.commit()
            flash(f"过期的证书吊销列表在 {hours} 小时内仍然使用。", "good")
            return redirect(url_for("settings.ca"))
    return _page(form), 422


@blueprint.post("/ca/overrides/<int:override_id>/end")
@audience(Role.ADMIN)
def end_crl_override(override_id: int) -> Response:
    crl_overrides.end(db.session(), current_portal(), actor(), override_id)
    db.session.commit()
    flash("放行已提前结束。", "good")
    return redirect(url_for("settings.ca"))


def _page(form: CrlOverrideForm) -> str:
    portal, now = current_portal(), current_portal().clock()
    trust = portal.trust.read() if portal.trust else None
    return render_template(
        "settings/ca.html",
        form=form,
        trust=trust,
        issuers=ca_state.issuers(trust, now) if trust else [],
        strays=ca_state.strays(trust) if trust else 0,
        override=crl_overrides.in_force(db.session(), now),
    )
