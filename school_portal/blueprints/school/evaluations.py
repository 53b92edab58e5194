"""Specialty evaluation: the list, a new draft, review and submission, the case page."""

from __future__ import annotations

from io import BytesIO

from flask import Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Redirect

from school_portal.blueprints.decisions import ReasonForm
from school_portal.blueprints.downloads import attachment, evidence
from school_portal.blueprints.http import arrived, origin
from school_portal.blueprints.identity import actor, audience, own_school
from school_portal.blueprints.school.blueprint import blueprint
from school_portal.blueprints.school.evaluation_page import EDITABLE, case_page, open_part
from school_portal.blueprints.school.signing import signed, signed_or_proved
from school_portal.domain.specialty_evaluation import ANNEX_FIELDS, EvaluationState
from school_portal.extensions import db
from school_portal.models import Role, SpecialtyEvaluation
from school_portal.services import (
    access,
    evaluation_check,
    signed_papers,
    submissions,
    training_programmes,
)
from school_portal.services import evaluations as service
from school_portal.services.portal import current_portal
from school_portal.services.signed_contents import of_evaluation
from school_portal.services.windows import window_at


def asked(evaluation_id: int) -> SpecialtyEvaluation:
    """The school's own application. Raises NotFound."""
    return access.own(db.session(), actor(), SpecialtyEvaluation, evaluation_id)


@blueprint.get("/evaluations")
@audience(Role.SCHOOL)
def evaluations() -> str:
    session, school, now = db.session(), own_school(), current_portal().clock()
    levels = school.levels
    listed = service.listing(session, school)
    drafted = {one.training_level: one.id for one in listed if one.state is EvaluationState.DRAFT}
    return render_template(
        "school/evaluations.html",
        listed=listed,
        levels=levels,
        drafted=drafted,
        windows=[(level, window_at(session, now, level, school.id)) for level in levels],
        now=now,
    )


@blueprint.get("/evaluations/<int:evaluation_id>")
@audience(Role.SCHOOL)
def evaluation(evaluation_id: int) -> str | Redirect:
    found = asked(evaluation_id)
    if found.state is EvaluationState.DRAFT:
        return redirect(url_for("school.edit_evaluation", evaluation_id=found.id))
    shown = case_page(db.session(), current_portal(), found)
    return render_template("school/evaluation.html", names=ANNEX_FIELDS, **shown)


@blueprint.get("/evaluations/<int:evaluation_id>/submit")
@audience(Role.SCHOOL)
def review_evaluation(evaluation_id: int) -> str | Redirect:
    found = asked(evaluation_id)
    if found.state not in EDITABLE:
        return redirect(url_for("school.evaluation", evaluation_id=found.id))
    session, portal = db.session(), current_portal()
    problems = evaluation_check.problems(session, portal, found, portal.today())
    content = of_evaluation(portal.vault, found)
    signs = signed_papers.key_for(portal, found.school)
    return render_template(
        "school/evaluation_submit.html",
        names=ANNEX_FIELDS,
        written=service.fields(portal.vault, found),
        problems=[one for one in problems if not one.warning],
        warnings=[one for one in problems if one.warning],
        message=signed_papers.message(origin(), content) if signs else None,
        **open_part(session, portal, found),
    )


@blueprint.post("/evaluations/<int:evaluation_id>/submit")
@audience(Role.SCHOOL)
@signed_or_proved
def submit_evaluation(evaluation_id: int) -> Redirect:
    found = asked(evaluation_id)
    submissions.submit(
        db.session(),
        current_portal(),
        actor(),
        found,
        arrived(),
        request.form.get("version", type=int),
        signed(),
    )
    db.session.commit()
    flash(f"已提交，编号 {found.number}。回执在本页，可随时下载。", "good")
    return redirect(url_for("school.evaluation", evaluation_id=found.id))


@blueprint.get("/evaluations/<int:evaluation_id>/submissions/<int:sequence>")
@audience(Role.SCHOOL)
def frozen_copy(evaluation_id: int, sequence: int) -> Response:
    found = asked(evaluation_id)
    content = submissions.frozen(current_portal().vault, submissions.one(found, sequence))
    name = f"专业评估申请-{found.number}-第{sequence}次提交.json"
    return attachment(BytesIO(content), name, "application/json")


@blueprint.get("/evaluations/<int:evaluation_id>/programmes/<int:programme_id>")
@audience(Role.SCHOOL)
def programme(evaluation_id: int, programme_id: int) -> Response:
    found = training_programmes.one(db.session(), asked(evaluation_id), programme_id)
    content = current_portal().storage.open(found.storage_key)
    return evidence(content, found.file_name, found.media_type)


@blueprint.get("/evaluations/<int:evaluation_id>/withdraw")
@audience(Role.SCHOOL)
def withdraw_evaluation(evaluation_id: int) -> str:
    found = asked(evaluation_id)
    return render_template("school/evaluation_withdraw.html", evaluation=found, reason=ReasonForm())


@blueprint.post("/evaluations/<int:evaluation_id>/withdraw")
@audience(Role.SCHOOL)
def confirm_withdrawal(evaluation_id: int) -> tuple[str, int] | Redirect:
    found, form = asked(evaluation_id), ReasonForm()
    if not form.validate():
        page = render_template("school/evaluation_withdraw.html", evaluation=found, reason=form)
        return page, 422
    reason = form.reason.data or ""
    submissions.withdraw(db.session(), current_portal(), actor(), found, reason)
    db.session.commit()
    flash(f"已撤回 {found.number}。需要时可在受理期内另行申请。", "info")
    return redirect(url_for("school.evaluation", evaluation_id=found.id))
