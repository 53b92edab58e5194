"""What an expert judges: the list, one review, its documents, and stepping back."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response, flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response as Redirect
from wtforms import RadioField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length

from school_portal.blueprints.decisions import ReasonForm, carried_out
from school_portal.blueprints.expert.blueprint import blueprint
from school_portal.blueprints.identity import actor, audience
from school_portal.blueprints.office.evaluations import programme_file
from school_portal.domain.specialty_evaluation import EvaluationState, LineState
from school_portal.domain.texts import trimmed
from school_portal.extensions import db
from school_portal.models import EvaluationLine, PanelMember, Role
from school_portal.services import annex, opinions, panels
from school_portal.services.access import NotFound
from school_portal.services.portal import current_portal

VOTES = [SelectChoice("yes", LineState.APPROVED.label), SelectChoice("no", LineState.REFUSED.label)]
_LONGEST = opinions.LONGEST_REASONS


def seen(member_id: int) -> PanelMember:
    """The expert's own place on a panel. Raises NotFound."""
    return opinions.own(db.session(), actor(), member_id)


def opinion_form(member: PanelMember) -> FlaskForm:
    """A choice and its reasons for each line, filled with what is kept."""

    class OpinionForm(FlaskForm):
        """One opinion a line."""

    kept = {one.line_id: one for one in member.opinions}
    for line in member.panel.evaluation.lines:
        held, place = kept.get(line.id), f"第 {line.position} 项"
        vote = RadioField(
            f"{place}意见",
            choices=VOTES,
            validate_choice=False,
            default=("yes" if held.approves else "no") if held else None,
        )
        reasons = TextAreaField(
            f"{place}理由",
            [Length(max=_LONGEST, message=f"理由不超过 {_LONGEST} 个字。")],
            default=held.reasons if held else "",
            render_kw={"rows": 3},
        )
        setattr(OpinionForm, f"vote_{line.id}", vote)
        setattr(OpinionForm, f"reasons_{line.id}", reasons)
    return OpinionForm()


def held_in(form: FlaskForm, lines: Sequence[EvaluationLine]) -> dict[int, tuple[bool, str]]:
    """What was chosen by line; reasons without a choice are told on the form."""
    found: dict[int, tuple[bool, str]] = {}
    for line in lines:
        vote, reasons = form[f"vote_{line.id}"], form[f"reasons_{line.id}"].data or ""
        if vote.data in {"yes", "no"}:
            found[line.id] = (vote.data == "yes", reasons)
        elif trimmed(reasons):
            vote.errors = [*vote.errors, "请选择通过或不通过，理由才能保存。"]
    return found


@blueprint.get("/reviews")
@audience(Role.EXPERT)
def reviews() -> str:
    return render_template("expert/reviews.html", listed=opinions.assigned(db.session(), actor()))


@blueprint.route("/reviews/<int:member_id>", methods=["GET", "POST"])
@audience(Role.EXPERT)
def review(member_id: int) -> str | tuple[str, int] | Redirect:
    session, portal, member = db.session(), current_portal(), seen(member_id)
    evaluation, form, finish = (
        member.panel.evaluation,
        opinion_form(member),
        "finish" in request.form,
    )

    def act() -> None:
        held = held_in(form, evaluation.lines)
        opinions.record_opinions(session, portal, actor(), member, held, finish=finish)

    if form.validate_on_submit():
        held_in(form, evaluation.lines)
        if not form.errors and carried_out(form, act):
            flash("意见已提交。" if finish else "草稿已保存，还没有提交。", "good")
            return redirect(url_for("expert.review", member_id=member_id))
    page = render_template(
        "expert/review.html",
        member=member,
        evaluation=evaluation,
        form=form,
        annex=annex.read(portal.vault, evaluation, phones=False),
        open=is_open(member),
        held=opinions.of_panel(evaluation) if member.recused_at is None else {},
    )
    return (page, 422) if form.is_submitted() else page


def is_open(member: PanelMember) -> bool:
    """Whether an opinion is still waited for."""
    under_review = member.panel.evaluation.state is EvaluationState.UNDER_PANEL_REVIEW
    return under_review and member.recused_at is None and member.finished_at is None


@blueprint.get("/reviews/<int:member_id>/programmes/<int:programme_id>")
@audience(Role.EXPERT)
def programme(member_id: int, programme_id: int) -> Response:
    member = seen(member_id)
    if member.recused_at is not None:
        raise NotFound("TrainingProgramme")
    return programme_file(member.panel.evaluation, programme_id)


@blueprint.route("/reviews/<int:member_id>/recuse", methods=["GET", "POST"])
@audience(Role.EXPERT)
def recuse(member_id: int) -> str | tuple[str, int] | Redirect:
    session, member, form = db.session(), seen(member_id), ReasonForm()

    def act() -> None:
        panels.recuse(session, current_portal(), actor(), member, form.reason.data or "")

    if form.validate_on_submit() and carried_out(form, act):
        flash("已声明回避，由市职业技能鉴定中心另请专家。", "good")
        return redirect(url_for("expert.reviews"))
    page = render_template("expert/recuse.html", member=member, form=form)
    return (page, 422) if form.is_submitted() else page
