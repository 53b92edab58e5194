"""Schools at the centre: their accounts and permissions."""

from __future__ import annotations

from flask import abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from school_portal.blueprints.centre.blueprint import blueprint
from school_portal.blueprints.decisions import ReasonForm
from school_portal.blueprints.identity import actor, audience, fresh
from school_portal.blueprints.paging import page_of
from school_portal.blueprints.project_choice import asked, choice, keys, searched
from school_portal.domain.account import ACCOUNT_WORKFLOW, AccountAction
from school_portal.domain.roster import Route
from school_portal.domain.texts import trimmed
from school_portal.domain.workflow import Role
from school_portal.extensions import db
from school_portal.models import School
from school_portal.services import (
    histories,
    opening_list,
    other_school,
    permission_list,
    permissions,
    school_accounts,
    school_keys,
)
from school_portal.services.access import NotFound, Refused
from school_portal.services.grounds import grounds
from school_portal.services.portal import current_portal

# What each decision with a reason does, as the centre reads it beforehand.
DECISIONS = {
    AccountAction.SUSPEND: (school_accounts.suspend, "从今天起不能生成团体申报，恢复后照常。"),
    AccountAction.RESUME: (school_accounts.resume, "从今天起可以照常生成团体申报。"),
    AccountAction.CLOSE: (school_accounts.close, "从今天起不能生成团体申报，再次使用须重新开户。"),
}


def school_of(school_id: int) -> School:
    found = db.session().get(School, school_id)
    if found is None:
        raise NotFound("School")
    return found


@blueprint.get("/schools")
@audience(Role.CENTRE)
def schools() -> str:
    session, name = db.session(), trimmed(request.args.get("name", ""))[:100]
    page = page_of(school_accounts.count(session, name))
    listed = school_accounts.page(session, name, limit=page.size, offset=page.offset)
    return render_template(
        "centre/schools.html",
        listed=listed,
        states=school_accounts.states(session, listed, current_portal().today()),
        name=name,
        page=page,
    )


@blueprint.get("/schools/<int:school_id>")
@audience(Role.CENTRE)
def school(school_id: int) -> str:
    session, found, today = db.session(), school_of(school_id), current_portal().today()
    state = school_accounts.state_of(session, found, today)
    return render_template(
        "centre/school.html",
        school=found,
        state=state,
        actions=ACCOUNT_WORKFLOW.actions(state, Role.CENTRE),
        training_levels=found.levels,
        openings=[one for one in opening_list.of_school(session, found) if one.number],
        permissions=permission_list.page(session, today, school_id=found.id),
        changes=histories.of_school(session, found),
        keys=school_keys.of_school(session, found),
        told_elsewhere=other_school.told(session, found.id, current_portal().clock()),
    )


@blueprint.post("/schools/<int:school_id>/account/open")
@audience(Role.CENTRE)
@fresh
def open_account(school_id: int) -> Response:
    found = school_of(school_id)
    school_accounts.open_account(db.session(), current_portal(), actor(), found)
    db.session.commit()
    flash(f"“{found.name}”的账户已开通，今天起可以生成团体申报。", "good")
    return redirect(url_for("centre.school", school_id=school_id))


def _decision(value: str) -> AccountAction:
    action = next((one for one in DECISIONS if one.value == value), None)
    return action or abort(404)


@blueprint.get("/schools/<int:school_id>/account/<action>")
@audience(Role.CENTRE)
def why_account(school_id: int, action: str) -> str:
    return _reason_page(school_of(school_id), _decision(action), ReasonForm())


def _reason_page(found: School, action: AccountAction, form: ReasonForm) -> str:
    effect = DECISIONS[action][1]
    return render_template(
        "centre/account_reason.html", school=found, action=action, effect=effect, form=form
    )


@blueprint.post("/schools/<int:school_id>/account/<action>")
@audience(Role.CENTRE)
@fresh
def decide_account(school_id: int, action: str) -> tuple[str, int] | Response:
    found, decision, form = school_of(school_id), _decision(action), ReasonForm()
    if not form.validate():
        return _reason_page(found, decision, form), 422
    decide = DECISIONS[decision][0]
    decide(db.session(), current_portal(), actor(), found, form.reason.data or "")
    db.session.commit()
    flash(f"“{found.name}”的账户已{decision.label}。", "info")
    return redirect(url_for("centre.school", school_id=school_id))


def _qualification_page(found: School, problems: list[str]) -> str:
    session, chosen = db.session(), asked()
    wanted = [permissions.wanted(found, Route.QUALIFICATION, None, one) for one in chosen]
    return render_template(
        "centre/qualification.html",
        school=found,
        choice=choice(session, chosen, cap=permissions.cap(found)),
        grounds=grounds(session, wanted, current_portal().today()),
        problems=problems,
    )


@blueprint.get("/schools/<int:school_id>/permissions/new")
@audience(Role.CENTRE)
def new_qualification(school_id: int) -> str:
    return _qualification_page(school_of(school_id), [])


@blueprint.post("/schools/<int:school_id>/permissions/new")
@audience(Role.CENTRE)
@fresh
def grant_qualification(school_id: int) -> tuple[str, int] | Response:
    found, projects, search = school_of(school_id), asked(), searched()
    if search is not None:
        address = url_for(
            "centre.new_qualification", school_id=school_id, project=keys(projects), **search
        )
        return redirect(address)
    if not projects:
        return _qualification_page(found, ["请至少勾选一项职业（工种）与等级。"]), 422
    confirmed = request.form.get("confirmed") == "yes"
    try:
        made = permissions.grant_qualification(
            db.session(), current_portal(), actor(), found, projects, confirmed
        )
    except Refused as refusal:  # what was ticked is shown again, with what it lacks
        db.session.rollback()
        return _qualification_page(school_of(school_id), [str(refusal)]), 422
    db.session.commit()
    flash(f"已为“{found.name}”开通 {len(made)} 项职业资格鉴定申报权限。", "good")
    return redirect(url_for("centre.school", school_id=school_id, _anchor="permissions"))
