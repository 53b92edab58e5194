"""The entrance by role, help, and the clauses behind every refusal."""

from __future__ import annotations

from flask import abort, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from school_portal.blueprints.clauses import all_clauses
from school_portal.blueprints.entrance.blueprint import blueprint
from school_portal.blueprints.identity import DUTIES, actor, public
from school_portal.blueprints.paging import page_of
from school_portal.extensions import db
from school_portal.models import Role
from school_portal.services import worklist
from school_portal.services.portal import current_portal
from school_portal.services.windows import windows_of


@blueprint.get("/")
@public
def entrance() -> str | Response:
    if not current_user.is_authenticated:
        return redirect(url_for("auth.sign_in"))
    if current_user.duty:
        return redirect(url_for(DUTIES[current_user.duty][0]))
    if current_user.role is Role.SCHOOL:
        return redirect(url_for("school.home"))
    session, portal, who = db.session(), current_portal(), actor()
    found = worklist.items(session, portal, who)
    page = page_of(len(found))
    return render_template(
        "entrance/worklist.html",
        items=found[page.offset : page.offset + page.size],
        page=page,
        windows=windows_of(session, portal.clock(), current_user.role, None),
        now=portal.clock(),
    )


@blueprint.get("/help")
@public
def help_page() -> str:
    return render_template("entrance/help.html")


@blueprint.get("/help/keys")
@public
def keys_help() -> str:
    """For whoever has no agent, or whose key is not read: what to install, whom to call."""
    portal = current_portal()
    trial = portal.settings.key_agent.name == "soft-key"
    return render_template("entrance/keys.html", off=portal.trust is None, trial=trial)


@blueprint.get("/clauses/<clause_id>")
@public
def clause(clause_id: str) -> str:
    found = all_clauses().get(clause_id)
    if found is None:
        abort(404)
    beside = "HX-Request" in request.headers
    return render_template(
        "entrance/_clause.html" if beside else "entrance/clause.html", clause=found
    )
