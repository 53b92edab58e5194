"""The public register of evaluation bodies (rulebook 10, 1)."""

from __future__ import annotations

from flask import render_template, request

from school_portal.blueprints.asking import narrowed_by
from school_portal.blueprints.identity import begin_reading, public
from school_portal.blueprints.limits import SEARCHES
from school_portal.blueprints.looks import Look
from school_portal.blueprints.paging import page_of
from school_portal.blueprints.register import verify
from school_portal.blueprints.register.blueprint import blueprint
from school_portal.domain.levels import Level
from school_portal.domain.texts import trimmed
from school_portal.extensions import db
from school_portal.services import public_register
from school_portal.services.portal import current_portal
from school_portal.services.public_register import Force, Query

__all__ = ["blueprint", "bodies", "verify"]

FORCES = {
    Force.IN_FORCE: Look("green", "circle-check", "有效"),
    Force.NOT_YET: Look("grey", "clock", "未到起始日"),
    Force.SUSPENDED: Look("orange", "alert-triangle", "暂停"),
    Force.EXPIRED: Look("dark", "calendar", "备案到期"),
    Force.ENDED: Look("dark", "ban", "已终止"),
}


@blueprint.get("/register")
@public
@SEARCHES
def bodies() -> str:
    query = Query(
        occupation=trimmed(request.args.get("occupation", ""))[:100],
        level=narrowed_by("level", lambda text: Level(int(text))),
        body=trimmed(request.args.get("body", ""))[:100],
        district=trimmed(request.args.get("district", ""))[:50],
    )
    session = db.session()
    begin_reading()
    page = page_of(public_register.count(session, query))
    return render_template(
        "register/bodies.html",
        query=query,
        page=page,
        entries=public_register.search(
            session, query, current_portal().today(), limit=page.size, offset=page.offset
        ),
        districts=public_register.districts(session),
        levels=list(Level),
        forces=FORCES,
    )
