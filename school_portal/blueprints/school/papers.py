"""A school's forms for print: annex 1, annex 2, the panel's opinion, the notice of permissions."""

from __future__ import annotations

from flask import Response

from school_portal.blueprints.identity import actor, audience, begin_writing
from school_portal.blueprints.limits import PAPERS
from school_portal.blueprints.paper import pdf, verification_page
from school_portal.blueprints.school.blueprint import blueprint
from school_portal.extensions import db
from school_portal.models import AccountOpening, PermissionRequest, Role, SpecialtyEvaluation
from school_portal.services import access, printed
from school_portal.services.portal import current_portal


@blueprint.get("/evaluations/<int:evaluation_id>/form.pdf")
@audience(Role.SCHOOL)
@PAPERS
def evaluation_form(evaluation_id: int) -> Response:
    found = access.own(db.session(), actor(), SpecialtyEvaluation, evaluation_id)
    content = printed.evaluation(current_portal().vault, found, verification_page)
    return pdf(content, f"专业评估申请表-{found.number or '草稿'}.pdf")


@blueprint.get("/evaluations/<int:evaluation_id>/opinion.pdf")
@audience(Role.SCHOOL)
@PAPERS
def opinion_form(evaluation_id: int) -> Response:
    found = access.own(db.session(), actor(), SpecialtyEvaluation, evaluation_id)
    content = printed.opinion(db.session(), found, verification_page, sealed=True)
    return pdf(content, f"专家组评估意见表-{found.number}.pdf")


@blueprint.get("/account/openings/<int:opening_id>/form.pdf")
@audience(Role.SCHOOL)
@PAPERS
def opening_form(opening_id: int) -> Response:
    begin_writing()
    session, portal = db.session(), current_portal()
    found = access.own(session, actor(), AccountOpening, opening_id)
    content = printed.opening(session, portal, actor(), found, verification_page)
    session.commit()
    return pdf(content, f"开户申请表-{found.number or '草稿'}.pdf")


@blueprint.get("/permissions/requests/<int:request_id>/notice.pdf")
@audience(Role.SCHOOL)
@PAPERS
def permission_notice(request_id: int) -> Response:
    found = access.own(db.session(), actor(), PermissionRequest, request_id)
    content = printed.permission_notice(db.session(), found, verification_page)
    return pdf(content, f"申报权限通知-{found.number}.pdf")
