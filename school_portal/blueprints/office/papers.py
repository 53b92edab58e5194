"""The offices' forms for print: annex 1 as handed in, and the panel's opinion to be sealed."""

from __future__ import annotations

from flask import Response

from school_portal.blueprints.identity import audience
from school_portal.blueprints.limits import PAPERS
from school_portal.blueprints.office.blueprint import blueprint
from school_portal.blueprints.office.evaluations import OFFICES, seen
from school_portal.blueprints.paper import pdf, verification_page
from school_portal.extensions import db
from school_portal.services import printed
from school_portal.services.portal import current_portal


@blueprint.get("/evaluations/<int:evaluation_id>/form.pdf")
@audience(*OFFICES)
@PAPERS
def evaluation_form(evaluation_id: int) -> Response:
    found = seen(evaluation_id)
    content = printed.received(current_portal().vault, found, verification_page)
    return pdf(content, f"专业评估申请表-{found.number}.pdf")


@blueprint.get("/evaluations/<int:evaluation_id>/opinion.pdf")
@audience(*OFFICES)
@PAPERS
def opinion_form(evaluation_id: int) -> Response:
    found = seen(evaluation_id)
    content = printed.opinion(db.session(), found, verification_page)
    return pdf(content, f"专家组评估意见表-{found.number}.pdf")
