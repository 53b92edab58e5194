"""The expert pool, kept by the centre."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response as Redirect

from school_portal.blueprints.decisions import carried_out
from school_portal.blueprints.identity import actor, audience
from school_portal.blueprints.office.blueprint import blueprint
from school_portal.blueprints.office.forms import NewExpertForm, ProfileForm
from school_portal.extensions import db
from school_portal.models import Role
from school_portal.services import experts as service
from school_portal.services import histories
from school_portal.services.portal import current_portal


def profile(form: ProfileForm) -> service.Profile:
    """What was typed; one occupation a line."""
    return service.Profile(
        form.employer.data or "",
        form.employer_uscc.data or "",
        tuple((form.fields.data or "").splitlines()),
    )


@blueprint.get("/experts")
@audience(Role.CENTRE)
def experts() -> str:
    session = db.session()
    return render_template(
        "office/experts.html", pool=service.pool(session), loads=service.loads(session)
    )


@blueprint.route("/experts/new", methods=["GET", "POST"])
@audience(Role.CENTRE)
def new_expert() -> str | tuple[str, int] | Redirect:
    form = NewExpertForm()

    def act() -> None:
        service.add(
            db.session(),
            current_portal(),
            actor(),
            profile(form),
            username=form.username.data or "",
            name=form.name.data or "",
            password=form.password.data or "",
            initial=True,
        )

    if form.validate_on_submit() and carried_out(form, act):
        flash(f"已将{form.name.data}加入专家库，请把用户名和初始密码告知本人。", "good")
        return redirect(url_for("office.experts"))
    page = render_template("office/expert.html", form=form, expert=None)
    return (page, 422) if form.is_submitted() else page


@blueprint.route("/experts/<int:expert_id>", methods=["GET", "POST"])
@audience(Role.CENTRE)
def expert(expert_id: int) -> str | tuple[str, int] | Redirect:
    session = db.session()
    found = service.one(session, expert_id)
    form = ProfileForm(
        employer=found.employer,
        employer_uscc=found.employer_uscc,
        fields="\n".join(found.fields),
    )

    def act() -> None:
        service.edit(session, current_portal(), actor(), found, profile(form))

    if form.validate_on_submit() and carried_out(form, act):
        flash("已保存。", "good")
        return redirect(url_for("office.experts"))
    changes = histories.of_record(session, f"expert:{found.id}", "expert.")
    page = render_template("office/expert.html", form=form, expert=found, changes=changes)
    return (page, 422) if form.is_submitted() else page
