"""Evaluations that took effect, those of the opening data too: their end and their revocation."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Redirect

from school_portal.blueprints.decisions import ReasonForm, carried_out
from school_portal.blueprints.identity import actor, audience, fresh
from school_portal.blueprints.office.blueprint import blueprint
from school_portal.blueprints.office.evaluations import OFFICES
from school_portal.blueprints.office.forms import EndForm
from school_portal.blueprints.paging import page_of
from school_portal.domain.texts import trimmed
from school_portal.extensions import db
from school_portal.models import EvaluationLine
from school_portal.services import histories, sealing
from school_portal.services.portal import current_portal


def seen(line_id: int) -> EvaluationLine:
    """The line, for whoever asks. Raises NotFound."""
    return sealing.line(db.session(), actor(), line_id)


@blueprint.get("/lines")
@audience(*OFFICES)
def lines() -> str:
    session, text = db.session(), trimmed(request.args.get("q", ""))[:100]
    query = sealing.visible_lines(actor(), text)
    page = page_of(sealing.count_lines(session, query))
    return render_template(
        "office/lines.html",
        listed=sealing.page_of_lines(session, query, limit=page.size, offset=page.offset),
        page=page,
        text=text,
        today=current_portal().today(),
    )


@blueprint.get("/lines/<int:line_id>")
@audience(*OFFICES)
def line(line_id: int) -> str:
    found = seen(line_id)
    return render_template(
        "office/line.html",
        line=found,
        history=histories.of_line(db.session(), found),
        today=current_portal().today(),
    )


@blueprint.route("/lines/<int:line_id>/revoke", methods=["GET", "POST"])
@audience(*OFFICES)
@fresh
def revoke(line_id: int) -> str | tuple[str, int] | Redirect:
    session, found, form = db.session(), seen(line_id), ReasonForm()

    def act() -> None:
        sealing.revoke(session, current_portal(), actor(), found, form.reason.data or "")

    if form.validate_on_submit() and carried_out(form, act):
        flash("已撤销，自今天起学生不能再据此申报。", "good")
        return redirect(url_for("office.line", line_id=line_id))
    page = render_template("office/revoke.html", line=found, form=form)
    return (page, 422) if form.is_submitted() else page


@blueprint.route("/lines/<int:line_id>/end", methods=["GET", "POST"])
@audience(*OFFICES)
@fresh
def end(line_id: int) -> str | tuple[str, int] | Redirect:
    session, found, form = db.session(), seen(line_id), EndForm()

    def act() -> None:
        ends_on, reason = form.ends_on.data, form.reason.data or ""
        assert ends_on is not None  # noqa: S101  the form asks for it
        sealing.set_end(session, current_portal(), actor(), found, ends_on, reason)

    if form.validate_on_submit() and carried_out(form, act):
        flash("已设定失效日期。", "good")
        return redirect(url_for("office.line", line_id=line_id))
    page = render_template("office/end.html", line=found, form=form)
    return (page, 422) if form.is_submitted() else page
