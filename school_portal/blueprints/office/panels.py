"""The centre convenes panels, with the receiving office looking on; seals follow."""

from __future__ import annotations

from flask import flash, render_template
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response as Redirect
from wtforms import DateField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional

from school_portal.blueprints.decisions import ReasonForm, carried_out
from school_portal.blueprints.identity import actor, audience, fresh
from school_portal.blueprints.office.blueprint import blueprint
from school_portal.blueprints.office.case_page import lacking_seals
from school_portal.blueprints.office.evaluations import OFFICES, back, seen
from school_portal.blueprints.office.forms import ChecksField, ReplaceForm
from school_portal.domain.specialty_evaluation import LineState, clause
from school_portal.extensions import db
from school_portal.models import PanelMember, Role, SpecialtyEvaluation
from school_portal.services import panels, policies, receiving, sealing
from school_portal.services.access import NotFound
from school_portal.services.portal import current_portal


class PanelForm(FlaskForm):
    """Who sits on the panel, and until when."""

    experts = ChecksField("专家", coerce=int)
    due_on = DateField("完成期限", [Optional()], description="专家应在当天 24:00 前提交意见。")


@blueprint.route("/evaluations/<int:evaluation_id>/panel", methods=["GET", "POST"])
@audience(Role.CENTRE)
def convene(evaluation_id: int) -> str | tuple[str, int] | Redirect:
    session, portal, found = db.session(), current_portal(), seen(evaluation_id)
    form, pool = PanelForm(), panels.candidates(session, found)
    form.experts.choices = [SelectChoice(one.expert.key, one.expert.name) for one in pool]

    def act() -> None:
        chosen = form.experts.data or []
        panels.convene(session, portal, actor(), found, chosen, form.due_on.data)

    if form.validate_on_submit() and carried_out(form, act):
        flash(f"已组成 {len(form.experts.data or ())} 人专家组，并已通知专家。", "good")
        return back(evaluation_id)
    least = policies.current(session).panel_size
    if not form.is_submitted():
        proposed = panels.propose(session, found, least + (least % 2 == 0))
        form.experts.data = [one.expert.key for one in proposed]
        form.due_on.data = receiving.default_date(session, portal.today())
    page = render_template(
        "office/panel.html",
        evaluation=found,
        form=form,
        pool=pool,
        least=least,
        clause=clause(found.training_level, "一2"),
    )
    return (page, 422) if form.is_submitted() else page


def member_of(evaluation: SpecialtyEvaluation, member_id: int) -> PanelMember:
    """The panel's member. Raises NotFound."""
    for found in evaluation.panel.members if evaluation.panel else ():
        if found.id == member_id:
            return found
    raise NotFound("PanelMember")


@blueprint.route(
    "/evaluations/<int:evaluation_id>/panel/<int:member_id>/recuse", methods=["GET", "POST"]
)
@audience(Role.CENTRE)
def recuse(evaluation_id: int, member_id: int) -> str | tuple[str, int] | Redirect:
    session, found, form = db.session(), seen(evaluation_id), ReasonForm()
    member = member_of(found, member_id)

    def act() -> None:
        panels.recuse(session, current_portal(), actor(), member, form.reason.data or "")

    if form.validate_on_submit() and carried_out(form, act):
        flash("已记录回避，请确定接替的专家。", "good")
        return back(evaluation_id)
    page = render_template("office/recuse.html", evaluation=found, member=member, form=form)
    return (page, 422) if form.is_submitted() else page


@blueprint.route(
    "/evaluations/<int:evaluation_id>/panel/<int:member_id>/replace", methods=["GET", "POST"]
)
@audience(Role.CENTRE)
def replace(evaluation_id: int, member_id: int) -> str | tuple[str, int] | Redirect:
    session, found, form = db.session(), seen(evaluation_id), ReplaceForm()
    member = member_of(found, member_id)
    sitting = {one.expert_id for one in member.panel.members}
    others = [one for one in panels.candidates(session, found) if one.expert.key not in sitting]
    form.expert.choices = [
        SelectChoice(one.expert.key, _described(one)) for one in others if not one.objection
    ]

    def act() -> None:
        panels.replace(session, current_portal(), actor(), member, form.expert.data)

    if form.validate_on_submit() and carried_out(form, act):
        flash("已由所选专家接替，并会通知本人。", "good")
        return back(evaluation_id)
    page = render_template(
        "office/replace.html",
        evaluation=found,
        member=member,
        form=form,
        doubtful=[one for one in others if one.doubtful],
    )
    return (page, 422) if form.is_submitted() else page


def _described(one: panels.rules.Candidate) -> str:
    fits = f"，相符领域：{'、'.join(one.matches)}" if one.matches else ""
    return f"{one.expert.name}（{one.expert.employer}{fits}，在评 {one.expert.load} 项）"


@blueprint.get("/evaluations/<int:evaluation_id>/seal")
@audience(*OFFICES)
def seal_form(evaluation_id: int) -> str:
    found = seen(evaluation_id)
    return render_template(
        "office/seal.html",
        evaluation=found,
        lacking=sorted(lacking_seals(found), key=lambda role: role.label),
        own=actor().role,
        approved=sum(line.state is LineState.APPROVED for line in found.lines),
    )


@blueprint.post("/evaluations/<int:evaluation_id>/seal")
@audience(*OFFICES)
@fresh
def seal(evaluation_id: int) -> Redirect:
    last = sealing.seal(db.session(), current_portal(), actor(), seen(evaluation_id))
    db.session.commit()
    text = "印章齐全，通过的各项自今天起生效。" if last else "还须另一单位盖章后生效。"
    flash(f"已盖章。{text}", "good")
    return back(evaluation_id)
