"""Every policy of the rulebook: its value, who changed it and why; what is fixed, and why."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from school_portal.blueprints.clauses import cited
from school_portal.blueprints.identity import actor, audience, fresh
from school_portal.blueprints.settings.blueprint import blueprint
from school_portal.blueprints.settings.forms import NumberForm, SwitchForm
from school_portal.domain.policy import FIXED_READINGS, POLICY_NAMES, shown_setting
from school_portal.domain.violations import policy_clause
from school_portal.extensions import db
from school_portal.models import Role
from school_portal.services import policies as service
from school_portal.services.access import Refused
from school_portal.services.portal import current_portal

Form = SwitchForm | NumberForm
READERS = (Role.BUREAU, Role.CENTRE, Role.ADMIN)


@blueprint.get("/policies")
@audience(*READERS)
def policies() -> str:
    session = db.session()
    current = service.current(session)
    listed = [
        (name, title, shown_setting(getattr(current, name)), service.history(session, name)[:1])
        for name, title in POLICY_NAMES.items()
    ]
    return render_template("settings/policies.html", settings=listed, fixed=FIXED_READINGS)


@blueprint.get("/policies/<name>")
@audience(*READERS)
def policy(name: str) -> str:
    return _page(name, _form(name))


@blueprint.post("/policies/<name>")
@audience(Role.BUREAU)
@fresh
def change_policy(name: str) -> Response | tuple[str, int]:
    session, form = db.session(), _form(name)
    if form.validate():
        value, reason = form.value.data or "", form.reason.data or ""
        try:
            made = service.change(session, current_portal(), actor(), name, value, reason)
        except Refused as refusal:
            form.value.errors = [str(refusal)]
        else:
            title, shown = POLICY_NAMES[name], shown_setting(made.new)
            session.commit()
            flash(f"“{title}”已改为“{shown}”，立即生效。", "good")
            return redirect(url_for("settings.policy", name=name))
    return _page(name, form), 422


def _form(name: str) -> Form:
    """Raises NotFound for a name of no setting."""
    service.history(db.session(), name)
    value = getattr(service.current(db.session()), name)
    kind = SwitchForm if isinstance(value, bool) else NumberForm
    return kind(value=shown_setting(value))


def _page(name: str, form: Form) -> str:
    session = db.session()
    [clause] = cited(policy_clause(name))
    return render_template(
        "settings/policy.html",
        name=name,
        title=POLICY_NAMES[name],
        clause=clause,
        value=shown_setting(getattr(service.current(session), name)),
        changes=service.history(session, name),
        shown=shown_setting,
        form=form,
    )
