"""The centre's forms for print: annex 2 to hold against the original, the notice of permissions."""

from __future__ import annotations

from flask import Response

from school_portal.blueprints.centre.blueprint import blueprint
from school_portal.blueprints.identity import actor, audience, begin_writing
from school_portal.blueprints.limits import PAPERS
from school_portal.blueprints.paper import pdf, verification_page
from school_portal.extensions import db
from school_portal.models import Role
from school_portal.services import opening_list, permission_list, printed
from school_portal.services.portal import current_portal


@blueprint.get("/openings/<int:opening_id>/form.pdf")
@audience(Role.CENTRE)
@PAPERS
def opening_form(opening_id: int) -> Response:
    begin_writing()
    session, portal = db.session(), current_portal()
    found = opening_list.handed_in(session, opening_id)
    content = printed.opening(session, portal, actor(), found, verification_page)
    session.commit()
    return pdf(content, f"开户申请表-{found.number}.pdf")


@blueprint.get("/permissions/requests/<int:request_id>/notice.pdf")
@audience(Role.CENTRE)
@PAPERS
def permission_notice(request_id: int) -> Response:
    found = permission_list.request(db.session(), request_id)
    content = printed.permission_notice(db.session(), found, verification_page)
    return pdf(content, f"申报权限通知-{found.number}.pdf")
