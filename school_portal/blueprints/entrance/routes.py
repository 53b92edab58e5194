"""The entrance by role, help, and the clauses behind every refusal."""

from __future__ import annotations

from flask import abort, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from school_portal.blueprints.clauses import all_clauses
from school_portal.blueprints.entrance.blueprint import blueprint
from school_portal.models import Role


@blueprint.get("/")
def entrance() -> str | Response:
    if not current_user.is_authenticated:
        return redirect(url_for("auth.sign_in"))
    if current_user.role is Role.SCHOOL:
        return redirect(url_for("school.home"))
    return render_template("entrance/office.html")


@blueprint.get("/help")
def help_page() -> str:
    return render_template("entrance/help.html")


@blueprint.get("/clauses/<clause_id>")
def clause(clause_id: str) -> str:
    found = all_clauses().get(clause_id)
    if found is None:
        abort(404)
    beside = "HX-Request" in request.headers
    return render_template(
        "entrance/_clause.html" if beside else "entrance/clause.html", clause=found
    )
