"""The progress card of a job, and its cancel button."""

from __future__ import annotations

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Redirect

from school_portal import jobs
from school_portal.blueprints.identity import actor, audience
from school_portal.blueprints.school.blueprint import blueprint
from school_portal.extensions import db
from school_portal.models import Job, Role, Roster
from school_portal.services import access, rosters
from school_portal.services.portal import current_portal
from school_portal.services.progress import progress


def page_of(job: Job) -> str:
    """Where a job's result is seen."""
    if job.kind.startswith("roster-"):
        return url_for("school.roster", roster_id=job.subject_id)
    return url_for("school.applications", job=job.id)


@blueprint.get("/jobs/<job_id>/progress")
@audience(Role.SCHOOL)
def job_progress(job_id: str) -> Response | Redirect:
    """The card alone; once the job is taken up or has ended, the whole page is asked for again."""
    job = access.own(db.session(), actor(), Job, job_id)
    current = progress(db.session(), job, current_portal().clock())
    answer = make_response(render_template("school/_progress.html", progress=current))
    if not current.waits or request.args.get("seen", job.state.value) != job.state.value:
        answer.headers["HX-Refresh"] = "true"
    return answer


@blueprint.post("/jobs/<job_id>/cancel")
@audience(Role.SCHOOL)
def cancel_job(job_id: str) -> Redirect:
    job = access.own(db.session(), actor(), Job, job_id)
    if job.kind == "roster-check":  # nothing of it is wanted: it ends at once
        roster = access.own(db.session(), actor(), Roster, job.subject_id)
        rosters.discard(db.session(), actor(), roster)
        asked = True
    else:
        asked = jobs.request_cancel(db.session(), job)
    db.session.commit()
    if asked:
        flash("已要求停止，当前一步完成后即停，不会留下一半的结果。", "info")
    else:
        flash("处理已经结束，没有停止。结果见本页。", "info")
    return redirect(page_of(job))
