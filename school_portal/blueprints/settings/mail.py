"""The log of what was mailed: to whom, when, or why not; no address."""

from __future__ import annotations

from flask import render_template

from school_portal.blueprints.identity import audience
from school_portal.blueprints.paging import page_of
from school_portal.blueprints.settings.blueprint import blueprint
from school_portal.extensions import db
from school_portal.models import Role
from school_portal.services import mail as service
from school_portal.services.portal import current_portal


@blueprint.get("/mail")
@audience(Role.ADMIN)
def mail() -> str:
    session, server = db.session(), current_portal().settings.mail
    page = page_of(service.count(session))
    return render_template(
        "settings/mail.html",
        server=server,
        sent=service.listed(session, limit=page.size, offset=page.offset),
        errors=service.ERRORS,
        is_stale=service.is_stale,
        now=current_portal().clock(),
        attempts=len(service.ATTEMPTS),
        page=page,
    )
