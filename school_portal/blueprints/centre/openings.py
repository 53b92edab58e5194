"""Annex 2 at the centre's window: the list, a case, its original, approval or return."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import DateField
from wtforms.validators import InputRequired

from school_portal.blueprints.asking import narrowed_by
from school_portal.blueprints.centre.blueprint import blueprint
from school_portal.blueprints.decisions import ReasonForm
from school_portal.blueprints.identity import actor, audience, fresh
from school_portal.blueprints.looks import LOOKS
from school_portal.blueprints.pages import on_page
from school_portal.blueprints.paging import page_of
from school_portal.blueprints.project_choice import keys
from school_portal.domain.account import OPENING_WORKFLOW, OpeningState
from school_portal.domain.workflow import Role
from school_portal.extensions import db
from school_portal.models import AccountOpening
from school_portal.services import account_openings, opening_check, opening_list, verification
from school_portal.services.portal import current_portal
from school_portal.services.transitions import history, waiting_since


class OriginalForm(FlaskForm):
    """The day on which the original came."""

    day = DateField(
        "收到原件的日期",
        [InputRequired("请填写收到原件的日期，例如 2026-10-15。")],
        description="签字盖章的原件交到窗口的日期，不早于提交申请，不晚于今天。",
    )


@blueprint.get("/openings")
@audience(Role.CENTRE)
def openings() -> str:
    session, state = db.session(), narrowed_by("state", OpeningState)
    counts = opening_list.counts(session)
    page = page_of(counts.get(state, 0) if state else sum(counts.values()))
    return render_template(
        "centre/openings.html",
        listed=opening_list.page(session, state, limit=page.size, offset=page.offset),
        tabs_of=[
            (one.value, f"{look.word} {counts[one]}")
            for one, look in LOOKS[OpeningState].items()
            if one in counts
        ],
        total=sum(counts.values()),
        is_final=OPENING_WORKFLOW.is_final,
        state=state,
        page=page,
    )


def _case(found: AccountOpening, form: OriginalForm) -> str:
    return render_template(
        "centre/opening.html",
        opening=found,
        given=opening_check.personal(current_portal().vault, found).masked,
        form=form,
        asked_for=keys(line.project for line in found.lines),
        actions=OPENING_WORKFLOW.actions(found.state, Role.CENTRE),
        changes=history(db.session(), found.subject),
        waiting_since=waiting_since(db.session(), OPENING_WORKFLOW, found),
        handed_in=verification.verify(db.session(), found).handed_in,
    )


@blueprint.get("/openings/<int:opening_id>")
@audience(Role.CENTRE)
def opening(opening_id: int) -> str:
    found = opening_list.handed_in(db.session(), opening_id)
    return _case(found, OriginalForm(day=current_portal().today()))


@blueprint.post("/openings/<int:opening_id>/original")
@on_page("centre.opening")
@audience(Role.CENTRE)
def receive_original(opening_id: int) -> tuple[str, int] | Response:
    session, form = db.session(), OriginalForm()
    found = opening_list.handed_in(session, opening_id)
    if not form.validate() or form.day.data is None:
        return _case(found, form), 422
    day = form.day.data
    account_openings.receive_original(session, current_portal(), actor(), found, day)
    session.commit()
    flash(f"已登记 {day} 收到申请 {found.number} 的原件。", "good")
    return redirect(url_for("centre.opening", opening_id=opening_id))


@blueprint.post("/openings/<int:opening_id>/approve")
@audience(Role.CENTRE)
@fresh
def approve_opening(opening_id: int) -> Response:
    session = db.session()
    found = opening_list.handed_in(session, opening_id)
    account_openings.approve(session, current_portal(), actor(), found)
    session.commit()
    flash(f"已批准{found.kind.label}申请 {found.number}，表中的 keyID 即时生效。", "good")
    return redirect(url_for("centre.opening", opening_id=opening_id))


@blueprint.get("/openings/<int:opening_id>/return")
@audience(Role.CENTRE)
def why_return(opening_id: int) -> str:
    found = opening_list.handed_in(db.session(), opening_id)
    return render_template("centre/opening_return.html", opening=found, form=ReasonForm())


@blueprint.post("/openings/<int:opening_id>/return")
@audience(Role.CENTRE)
def return_opening(opening_id: int) -> tuple[str, int] | Response:
    session, form = db.session(), ReasonForm()
    found = opening_list.handed_in(session, opening_id)
    if not form.validate():
        return render_template("centre/opening_return.html", opening=found, form=form), 422
    reason = form.reason.data or ""
    account_openings.return_(session, current_portal(), actor(), found, reason)
    session.commit()
    flash(f"申请 {found.number} 已退回，学校可以修改整份申请表。", "info")
    return redirect(url_for("centre.opening", opening_id=opening_id))
