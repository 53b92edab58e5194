"""Applications for evaluation at the offices: the list, one of them, its documents."""

from __future__ import annotations

from flask import Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Redirect

from school_portal.blueprints.asking import narrowed_by
from school_portal.blueprints.decisions import ReasonForm, carried_out
from school_portal.blueprints.downloads import evidence
from school_portal.blueprints.identity import actor, audience
from school_portal.blueprints.office.blueprint import blueprint
from school_portal.blueprints.office.case_page import case_page, correctable, unlocked_by
from school_portal.blueprints.office.forms import ReturnForm
from school_portal.blueprints.paging import page_of
from school_portal.domain.specialty_evaluation import EVALUATION_WORKFLOW, EvaluationState
from school_portal.domain.texts import trimmed
from school_portal.extensions import db
from school_portal.models import Role, SpecialtyEvaluation
from school_portal.services import annex, receiving
from school_portal.services.portal import current_portal

RECEIVING = (Role.TEACHING_OFFICE, Role.VOCATIONAL_DIVISION)
OFFICES = (*RECEIVING, Role.CENTRE)


def asked() -> tuple[EvaluationState | None, str]:
    """The state and the text by which the address filters."""
    return narrowed_by("state", EvaluationState), trimmed(request.args.get("q", ""))[:100]


def seen(evaluation_id: int) -> SpecialtyEvaluation:
    """The application, for whoever asks. Raises NotFound."""
    return receiving.one(db.session(), actor(), evaluation_id)


def back(evaluation_id: int) -> Redirect:
    return redirect(url_for("office.evaluation", evaluation_id=evaluation_id))


@blueprint.get("/evaluations")
@audience(*OFFICES)
def evaluations() -> str:
    session, (state, text) = db.session(), asked()
    query = receiving.matching(actor(), state, text)
    page = page_of(receiving.count(session, query))
    return render_template(
        "office/evaluations.html",
        listed=receiving.page(session, query, limit=page.size, offset=page.offset),
        page=page,
        state=state,
        text=text,
        counts=receiving.counts(session, actor()),
        due_on=receiving.due_on,
        is_final=EVALUATION_WORKFLOW.is_final,
    )


@blueprint.get("/evaluations/<int:evaluation_id>")
@audience(*OFFICES)
def evaluation(evaluation_id: int) -> str:
    page = case_page(db.session(), current_portal(), actor(), seen(evaluation_id))
    return render_template("office/evaluation.html", **page)


@blueprint.get("/evaluations/<int:evaluation_id>/programmes/<int:programme_id>")
@audience(*OFFICES)
def programme(evaluation_id: int, programme_id: int) -> Response:
    return programme_file(seen(evaluation_id), programme_id)


def programme_file(evaluation: SpecialtyEvaluation, programme_id: int) -> Response:
    """One of the application's documents. Raises NotFound."""
    portal = current_portal()
    found = annex.programme(db.session(), portal.vault, evaluation, programme_id)
    return evidence(portal.storage.open(found.storage_key), found.file_name, found.media_type)


@blueprint.post("/evaluations/<int:evaluation_id>/accept")
@audience(*RECEIVING)
def accept(evaluation_id: int) -> Redirect:
    found = seen(evaluation_id)
    receiving.accept(db.session(), current_portal(), actor(), found)
    db.session.commit()
    flash("已受理，下一步由市职业技能鉴定中心会同组成专家组。", "good")
    return back(evaluation_id)


@blueprint.route("/evaluations/<int:evaluation_id>/return", methods=["GET", "POST"])
@audience(*RECEIVING)
def give_back(evaluation_id: int) -> str | tuple[str, int] | Redirect:
    session, portal, form = db.session(), current_portal(), ReturnForm()
    found = seen(evaluation_id)
    correctable(form, found, receiving.default_date(session, portal.today()))

    def act() -> None:
        why, until = form.reason.data or "", form.until.data
        receiving.return_for_correction(
            session, portal, actor(), found, unlocked_by(form), why, until
        )

    if form.validate_on_submit() and carried_out(form, act):
        flash("已退回学校补正，学校只能修改指明之处。", "good")
        return back(evaluation_id)
    page = render_template("office/return.html", evaluation=found, form=form)
    return (page, 422) if form.is_submitted() else page


@blueprint.route("/evaluations/<int:evaluation_id>/refuse", methods=["GET", "POST"])
@audience(*RECEIVING)
def refuse(evaluation_id: int) -> str | tuple[str, int] | Redirect:
    session, found, form = db.session(), seen(evaluation_id), ReasonForm()

    def act() -> None:
        receiving.refuse(session, current_portal(), actor(), found, form.reason.data or "")

    if form.validate_on_submit() and carried_out(form, act):
        flash("已作不予受理，理由已告知学校。", "good")
        return back(evaluation_id)
    page = render_template("office/refuse.html", evaluation=found, form=form)
    return (page, 422) if form.is_submitted() else page
