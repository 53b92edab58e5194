"""A school's home and its specialties."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from school_portal.blueprints.http import row_id
from school_portal.blueprints.identity import actor, audience, own_school
from school_portal.blueprints.school.blueprint import blueprint
from school_portal.blueprints.school.steps import following, steps
from school_portal.extensions import db
from school_portal.models import Body, Role, Specialty
from school_portal.services import access, applications, school_desk, standing, worklist
from school_portal.services.portal import current_portal
from school_portal.services.windows import windows_of


@blueprint.get("/")
@audience(Role.SCHOOL)
def home() -> str:
    session, school, portal = db.session(), own_school(), current_portal()
    today = portal.today()
    specialties = school_desk.specialties(session, school, today)
    now = standing.standing(session, portal.vault, school, specialties, today)
    listed = steps(now)
    return render_template(
        "school/home.html",
        school=school,
        desk=now,
        steps=listed,
        following=following(listed),
        items=worklist.items(session, portal, actor()),
        specialties=specialties,
        windows=windows_of(session, portal.clock(), Role.SCHOOL, school),
        now=portal.clock(),
    )


@blueprint.get("/specialties")
@audience(Role.SCHOOL)
def specialties() -> str:
    school, portal = own_school(), current_portal()
    return render_template(
        "school/specialties.html",
        school=school,
        specialties=school_desk.specialties(db.session(), school, portal.today()),
        windows=windows_of(db.session(), portal.clock(), Role.SCHOOL, school),
        now=portal.clock(),
    )


@blueprint.post("/specialties/<int:specialty_id>/body")
@audience(Role.SCHOOL)
def choose_body(specialty_id: int) -> Response:
    """Choose the body for a specialty's students whose rows name none; empty takes it back."""
    specialty = access.own(db.session(), actor(), Specialty, specialty_id)
    key = request.form.get("body", type=row_id)
    body = db.session.get(Body, key) if key else None
    applications.choose_body(db.session(), actor(), specialty, body)
    db.session.commit()
    flash(
        f"“{specialty.name}”已选定{body.name}。"
        if body
        else f"“{specialty.name}”不再指定评价机构。",
        "good",
    )
    return redirect(
        url_for("school.plan" if request.form.get("from") == "plan" else "school.specialties")
    )
