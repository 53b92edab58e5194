"""A school's account: its state, annex 2 from draft to approval."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from school_portal.blueprints.http import arrived, origin
from school_portal.blueprints.identity import actor, audience, own_school
from school_portal.blueprints.project_choice import asked, choice, searched
from school_portal.blueprints.school.account_forms import OpeningForm
from school_portal.blueprints.school.blueprint import blueprint
from school_portal.blueprints.school.signing import signed
from school_portal.extensions import db
from school_portal.models import AccountOpening, Role
from school_portal.services import (
    access,
    account_openings,
    opening_check,
    opening_list,
    permission_list,
    permissions,
    school_accounts,
    school_desk,
    school_keys,
    signed_contents,
    signed_papers,
    verification,
)
from school_portal.services.portal import current_portal
from school_portal.services.transitions import history


def own_opening(opening_id: int) -> AccountOpening:
    return access.own(db.session(), actor(), AccountOpening, opening_id)


@blueprint.get("/account")
@audience(Role.SCHOOL)
def account() -> str:
    school, session, today = own_school(), db.session(), current_portal().today()
    state = school_accounts.state_of(session, school, today)
    return render_template(
        "school/account.html",
        school=school,
        state=state,
        kind=account_openings.kind_for(state),
        unfinished=account_openings.unfinished(session, school),
        openings=opening_list.of_school(session, school),
        permissions=permission_list.page(session, today, school_id=school.id),
        keys=school_keys.of_school(session, school),
        cooperations=school_desk.cooperations(session, school),
    )


@blueprint.get("/account/openings/new")
@audience(Role.SCHOOL)
def new_opening() -> str | Response:
    """The empty form; where an application is under way, on with it."""
    session, portal, school = db.session(), current_portal(), own_school()
    found = account_openings.unfinished(session, school)
    if found is not None:
        return redirect(url_for("school.opening", opening_id=found.id))
    blank = account_openings.blank(session, portal, actor(), school)
    return _form_page(blank, OpeningForm.of(blank, opening_check.personal(portal.vault, blank)))


@blueprint.post("/account/openings/new")
@audience(Role.SCHOOL)
def start_opening() -> tuple[str, int] | Response:
    """The first word makes the draft."""
    session, portal, school, form = db.session(), current_portal(), own_school(), OpeningForm()
    if not form.validate():
        return _form_page(account_openings.blank(session, portal, actor(), school), form), 422
    found = account_openings.unfinished(session, school)
    return _kept(found or account_openings.start(session, portal, actor(), school), form)


@blueprint.get("/account/openings/<int:opening_id>")
@audience(Role.SCHOOL)
def opening(opening_id: int) -> str:
    found = own_opening(opening_id)
    unlocked = found.state in account_openings.UNLOCKED
    verified = verification.verify(db.session(), found) if found.number else None
    return render_template(
        "school/opening.html",
        opening=found,
        given=opening_check.personal(current_portal().vault, found).masked,
        unlocked=unlocked,
        handed_in=verified.handed_in if verified else [],
        changes=history(db.session(), found.subject),
    )


@blueprint.get("/account/openings/<int:opening_id>/edit")
@audience(Role.SCHOOL)
def edit_opening(opening_id: int) -> str | Response:
    found = own_opening(opening_id)
    if found.state not in account_openings.UNLOCKED:
        return redirect(url_for("school.opening", opening_id=opening_id))
    form = OpeningForm.of(found, opening_check.personal(current_portal().vault, found))
    return _form_page(found, form)


def _form_page(found: AccountOpening, form: OpeningForm) -> str:
    chosen = asked() or [line.project for line in found.lines]
    return render_template(
        "school/opening_edit.html",
        opening=found,
        form=form,
        choice=choice(db.session(), chosen, cap=permissions.cap(found.school)),
    )


@blueprint.post("/account/openings/<int:opening_id>/edit")
@audience(Role.SCHOOL)
def save_opening(opening_id: int) -> tuple[str, int] | Response:
    """Keep the draft; then on to what was searched for, or to what stands against it."""
    found, form = own_opening(opening_id), OpeningForm()
    if not form.validate():
        return _form_page(found, form), 422
    return _kept(found, form)


def _kept(opening: AccountOpening, form: OpeningForm) -> Response:
    account_openings.save(db.session(), current_portal(), opening, form.entry(asked()))
    opening_id = opening.id
    db.session.commit()
    search = searched()
    if search is not None:
        return redirect(url_for("school.edit_opening", opening_id=opening_id, **search))
    return redirect(url_for("school.check_opening", opening_id=opening_id))


@blueprint.get("/account/openings/<int:opening_id>/submit")
@audience(Role.SCHOOL)
def check_opening(opening_id: int) -> str | Response:
    """What stands against handing it in, or the whole of it once more, to be signed."""
    found, session, portal = own_opening(opening_id), db.session(), current_portal()
    if found.state not in account_openings.UNLOCKED:
        return redirect(url_for("school.opening", opening_id=opening_id))
    kind = account_openings.kind_now(session, portal, found)
    content = signed_contents.of_opening(portal.vault, found, kind)
    problems = opening_check.problems(session, portal, found)
    signs = signed_papers.key_for(portal, found.school, found)
    return render_template(
        "school/opening_submit.html",
        opening=found,
        given=opening_check.personal(portal.vault, found).masked,
        problems=problems,
        message=signed_papers.message(origin(), content) if signs and not problems else None,
    )


@blueprint.post("/account/openings/<int:opening_id>/submit")
@audience(Role.SCHOOL)
def request_opening(opening_id: int) -> Response:
    found, portal = own_opening(opening_id), current_portal()
    account_openings.request(db.session(), portal, actor(), found, arrived(), signed())
    db.session.commit()
    flash(f"申请 {found.number} 已提交。请打印申请表，签字盖章后将原件交至窗口。", "good")
    return redirect(url_for("school.opening", opening_id=opening_id))


@blueprint.post("/account/openings/<int:opening_id>/withdraw")
@audience(Role.SCHOOL)
def withdraw_opening(opening_id: int) -> Response:
    found = own_opening(opening_id)
    account_openings.withdraw(db.session(), current_portal(), actor(), found)
    db.session.commit()
    flash("申请已撤回。需要时可以重新填写。", "info")
    return redirect(url_for("school.account"))
