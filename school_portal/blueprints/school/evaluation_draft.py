"""Writing an application: annex 1 with autosave, lines chosen by typing, documents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import BinaryIO, cast

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Redirect

from school_portal.blueprints.asking import narrowed_by
from school_portal.blueprints.http import row_id
from school_portal.blueprints.identity import actor, audience, own_school
from school_portal.blueprints.limits import SEARCHES, UPLOADS
from school_portal.blueprints.school.blueprint import blueprint
from school_portal.blueprints.school.evaluation_page import EDITABLE, open_part
from school_portal.blueprints.school.evaluations import asked
from school_portal.blueprints.school.forms import AnnexForm
from school_portal.domain.levels import TrainingLevel
from school_portal.domain.projects import Project
from school_portal.domain.specialty_evaluation import ANNEX_FIELDS
from school_portal.domain.texts import trimmed
from school_portal.extensions import db
from school_portal.models import Role, Specialty, SpecialtyEvaluation
from school_portal.services import evaluation_check, evaluations, training_programmes
from school_portal.services.access import NotFound, Refused
from school_portal.services.portal import current_portal
from school_portal.services.project_search import key_of, parse_key


def form_of(evaluation: SpecialtyEvaluation, data: Mapping[str, str | int] | None) -> AnnexForm:
    """The fields that can be changed now; the page shows the others as text."""
    form = AnnexForm(data=data)
    for name in ANNEX_FIELDS:
        if not evaluations.may_write(evaluation, name):
            del form[name]
    return form


def own_specialties(evaluation: SpecialtyEvaluation) -> list[Specialty]:
    """The school's specialties of the application's training level."""
    level = evaluation.training_level
    return [one for one in evaluation.school.specialties if one.training_level is level]


def edit_page(evaluation: SpecialtyEvaluation, form: AnnexForm) -> str:
    session, portal = db.session(), current_portal()
    return render_template(
        "school/evaluation_edit.html",
        form=form,
        names=ANNEX_FIELDS,
        written=evaluations.fields(portal.vault, evaluation),
        specialties=own_specialties(evaluation),
        allowed=evaluations,
        limit=training_programmes.LIMIT,
        **open_part(session, portal, evaluation),
    )


@blueprint.get("/evaluations/<int:evaluation_id>/edit")
@audience(Role.SCHOOL)
def edit_evaluation(evaluation_id: int) -> str | Redirect:
    found = asked(evaluation_id)
    if found.state not in EDITABLE:
        return redirect(url_for("school.evaluation", evaluation_id=found.id))
    written = evaluations.fields(current_portal().vault, found)
    return edit_page(found, form_of(found, {**written, "version": found.version}))


@blueprint.post("/evaluations/<int:evaluation_id>/edit")
@audience(Role.SCHOOL)
def save_evaluation(evaluation_id: int) -> str | tuple[str, int] | Redirect:
    """The save button and the autosave; the latter is answered with one line."""
    found = asked(evaluation_id)
    return _kept(found, form_of(found, None), edit_page)


@blueprint.get("/evaluations/new")
@audience(Role.SCHOOL)
def new_evaluation() -> str | Redirect:
    """The empty form; where there is a draft, on with it."""
    blank = _blank()
    found = evaluations.draft_of(db.session(), blank.school, blank.training_level)
    if found is not None:
        return redirect(url_for("school.edit_evaluation", evaluation_id=found.id))
    written = evaluations.fields(current_portal().vault, blank)
    return new_page(blank, form_of(blank, {**written, "version": blank.version}))


@blueprint.post("/evaluations/new")
@audience(Role.SCHOOL)
def start_evaluation() -> str | tuple[str, int] | Redirect:
    """The first word makes the draft; what follows on the same page is kept in it."""
    blank = _blank()
    form = form_of(blank, None)
    if form.validate():
        school, level = blank.school, blank.training_level
        blank = evaluations.draft(db.session(), current_portal(), actor(), school, level)
    return _kept(blank, form, new_page)


def _blank() -> SpecialtyEvaluation:
    """Raises NotFound for a training level that the school does not have."""
    value = request.args.get("training_level", "")
    if value not in set(TrainingLevel):
        raise NotFound("TrainingLevel")
    return evaluations.blank(current_portal(), actor(), own_school(), TrainingLevel(value))


def new_page(evaluation: SpecialtyEvaluation, form: AnnexForm) -> str:
    return render_template(
        "school/evaluation_new.html",
        form=form,
        names=ANNEX_FIELDS,
        **open_part(db.session(), current_portal(), evaluation),
    )


def _kept(
    found: SpecialtyEvaluation,
    form: AnnexForm,
    page: Callable[[SpecialtyEvaluation, AnnexForm], str],
) -> str | tuple[str, int] | Redirect:
    """On to the draft, or the page again with what is wrong; beside the page, one line."""
    beside = "HX-Request" in request.headers
    if not form.validate():
        told = [error for errors in form.errors.values() for error in errors]
        return (saved_line(found, *told) if beside else page(found, form)), 422
    written = {name: form[name].data or "" for name in ANNEX_FIELDS if name in form}
    try:
        evaluations.save(db.session(), current_portal(), actor(), found, written, form.version.data)
    except Refused as refusal:
        form.form_errors.append(str(refusal))
        return (saved_line(found, str(refusal)) if beside else page(found, form)), 409
    db.session.commit()
    if beside:
        return saved_line(found)
    flash("已保存草稿，尚未提交。", "good")
    return redirect(url_for("school.edit_evaluation", evaluation_id=found.id))


def saved_line(evaluation: SpecialtyEvaluation, *errors: str) -> str:
    return render_template(
        "school/_saved.html", evaluation=evaluation, errors=errors, now=current_portal().clock()
    )


def back_to(evaluation_id: int, part: str) -> Redirect:
    return redirect(url_for("school.edit_evaluation", evaluation_id=evaluation_id, _anchor=part))


@blueprint.get("/evaluations/<int:evaluation_id>/projects")
@audience(Role.SCHOOL)
@SEARCHES
def find_project(evaluation_id: int) -> str:
    """What a search offers, as a part of the page that asks or as a page of its own."""
    found, session = asked(evaluation_id), db.session()
    line_id = narrowed_by("line", row_id)
    line = evaluations.own_line(found, line_id) if line_id else None
    specialty_id = line.specialty_id if line else narrowed_by("specialty", row_id)
    text = trimmed(request.args.get("q", ""))[:100]
    choices = evaluation_check.choices(session, current_portal(), found, text) if text else None
    beside = "HX-Request" in request.headers
    return render_template(
        "school/_project_choices.html" if beside else "school/evaluation_projects.html",
        evaluation=found,
        line=line,
        specialty=evaluations.own_specialty(session, found, specialty_id or 0),
        specialties=own_specialties(found),
        text=text,
        choices=choices,
        key_of=key_of,
    )


def asked_project() -> Project:
    """The project whose key the form holds. Raises NotFound."""
    project = parse_key(request.form.get("project", ""))
    if project is None:
        raise NotFound("Project")
    return project


@blueprint.post("/evaluations/<int:evaluation_id>/lines")
@audience(Role.SCHOOL)
def add_line(evaluation_id: int) -> Redirect:
    found, project = asked(evaluation_id), asked_project()
    specialty_id = request.form.get("specialty", 0, type=row_id)
    evaluations.add_line(db.session(), current_portal(), actor(), found, specialty_id, project)
    db.session.commit()
    flash(f"已加入“{project.label}”。", "good")
    return back_to(evaluation_id, "lines")


@blueprint.post("/evaluations/<int:evaluation_id>/lines/<int:line_id>")
@audience(Role.SCHOOL)
def change_line(evaluation_id: int, line_id: int) -> Redirect:
    found, project = asked(evaluation_id), asked_project()
    evaluations.change_line(db.session(), current_portal(), actor(), found, line_id, project)
    db.session.commit()
    flash(f"已改为“{project.label}”。", "good")
    return back_to(evaluation_id, "lines")


@blueprint.post("/evaluations/<int:evaluation_id>/lines/<int:line_id>/remove")
@audience(Role.SCHOOL)
def remove_line(evaluation_id: int, line_id: int) -> Redirect:
    found = asked(evaluation_id)
    label = evaluations.own_line(found, line_id).project.label
    evaluations.remove_line(db.session(), current_portal(), actor(), found, line_id)
    db.session.commit()
    flash(f"已删去“{label}”。", "info")
    return back_to(evaluation_id, "lines")


@blueprint.post("/evaluations/<int:evaluation_id>/programmes")
@audience(Role.SCHOOL)
@UPLOADS
def attach_programme(evaluation_id: int) -> Redirect:
    found, file = asked(evaluation_id), request.files.get("file")
    specialty_id = request.form.get("specialty", 0, type=row_id)
    place = f"programmes-{specialty_id}"
    if file is None or not file.filename:
        flash("请先选择要上传的文件。", "bad")
        return back_to(evaluation_id, place)
    stream = cast(BinaryIO, file.stream)
    try:
        made = training_programmes.attach(
            db.session(), current_portal(), actor(), found, specialty_id, stream, file.filename
        )
    except Refused as refusal:
        db.session.rollback()
        flash(str(refusal), "bad")
        return back_to(evaluation_id, place)
    db.session.commit()
    flash(f"已上传“{made.file_name}”。", "good")
    return back_to(evaluation_id, place)


@blueprint.post("/evaluations/<int:evaluation_id>/programmes/<int:programme_id>/detach")
@audience(Role.SCHOOL)
def detach_programme(evaluation_id: int, programme_id: int) -> Redirect:
    found, session = asked(evaluation_id), db.session()
    detached = training_programmes.one(session, found, programme_id)
    training_programmes.detach(session, current_portal(), actor(), found, programme_id)
    place, name = f"programmes-{detached.specialty_id}", detached.file_name
    session.commit()
    flash(f"已移除“{name}”。", "info")
    return back_to(evaluation_id, place)
