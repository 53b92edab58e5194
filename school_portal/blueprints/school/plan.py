"""The plan: who is in which application, who is out and why; and its generation."""

from __future__ import annotations

from collections import Counter
from datetime import date

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from school_portal.blueprints.asking import narrowed_by, one_of
from school_portal.blueprints.http import request_id
from school_portal.blueprints.identity import actor, audience, own_school
from school_portal.blueprints.limits import JOBS, PLANS
from school_portal.blueprints.paging import page_of
from school_portal.blueprints.school.blueprint import blueprint
from school_portal.domain.grouping import Plan
from school_portal.domain.violations import CHOICE_NEEDED
from school_portal.extensions import db
from school_portal.models import Role, School, Student
from school_portal.services import applications, school_desk
from school_portal.services.portal import current_portal
from school_portal.services.progress import WAITED_FOR, latest_job

PLANNED_PAGE = 10  # applications, each with up to N students


def shown(plan: Plan, show: str, code: str) -> list[tuple[object, ...]]:
    """What the chosen tab lists."""
    if show == "excluded":
        listed = plan.excluded
        return [one for one in listed if not code or code in {reason.code for reason in one[1]}]
    return list(plan.held if show == "held" else plan.applications)  # type: ignore[arg-type]


def named(school: School, show: str, listed: list[tuple[object, ...]]) -> dict[str, Student]:
    """The students that a page of the plan names."""
    if show == "planned":
        numbers = [number for one in listed for number in one.students]  # type: ignore[attr-defined]
    else:
        numbers = [str(one[0]) for one in listed]
    return school_desk.students_by_number(db.session(), school, numbers)


@blueprint.get("/applications/plan")
@audience(Role.SCHOOL)
@PLANS
def plan() -> str | Response:
    school, portal = own_school(), current_portal()
    running = latest_job(db.session(), school.id, school.id, "applications-generate")
    if running is not None and running.state in WAITED_FOR:
        return redirect(url_for("school.applications", job=running.id))
    on = narrowed_by("on", date.fromisoformat) or portal.today()
    found = applications.plan(db.session(), portal, school, on)
    show = narrowed_by("show", one_of("planned", "held", "excluded"))
    show = show or ("planned" if found.applications else "excluded")
    code = request.args.get("code", "")
    listed = shown(found, show, code)
    page = page_of(len(listed), *([PLANNED_PAGE] if show == "planned" else []))
    listed = listed[page.offset : page.last]
    return render_template(
        "school/plan.html",
        plan=found,
        on=on,
        today=portal.today(),
        show=show,
        code=code,
        page=page,
        listed=listed,
        students=named(school, show, listed),
        codes=Counter(reason.code for _, reasons in found.excluded for reason in reasons),
        choices=choices(school, found, on),
    )


def choices(school: School, plan: Plan, on: date) -> list[tuple[school_desk.SpecialtyLines, int]]:
    """Specialties with several bodies and students for whom none is chosen, and how many."""
    numbers = [
        number
        for number, reasons in plan.excluded
        if any(reason.code == CHOICE_NEEDED for reason in reasons)
    ]
    if not numbers:
        return []
    waiting = school_desk.count_by_specialty(db.session(), school, numbers)
    return [
        (one, waiting[one.specialty.id])
        for one in school_desk.specialties(db.session(), school, on)
        if one.specialty.id in waiting and len(one.bodies) > 1
    ]


@blueprint.post("/applications/generate")
@audience(Role.SCHOOL)
@JOBS
def generate() -> Response:
    """Have today's plan made, by a worker."""
    school, portal = own_school(), current_portal()
    job = latest_job(db.session(), school.id, school.id, "applications-generate")
    if job is None or job.state not in WAITED_FOR:  # a second click joins the first
        job = applications.request_generation(
            db.session(),
            portal,
            actor(),
            school,
            portal.today(),
            request_id=request_id(),
        )
        db.session.commit()
    return redirect(url_for("school.applications", job=job.id))
