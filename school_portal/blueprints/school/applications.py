"""Group applications: the list, one of them, its workbook."""

from __future__ import annotations

from flask import Response, render_template, request

from school_portal.blueprints.downloads import workbook
from school_portal.blueprints.identity import actor, audience, begin_writing, own_school
from school_portal.blueprints.paging import page_of
from school_portal.blueprints.school.blueprint import blueprint
from school_portal.domain.group_application import ApplicationState
from school_portal.extensions import db
from school_portal.models import GroupApplication, Job, Role
from school_portal.services import access, application_list, exporting
from school_portal.services.portal import current_portal
from school_portal.services.progress import progress


def asked_state() -> ApplicationState | None:
    value = request.args.get("state", "")
    return ApplicationState(value) if value in set(ApplicationState) else None


@blueprint.get("/applications")
@audience(Role.SCHOOL)
def applications() -> str:
    school, session = own_school(), db.session()
    state, body_id = asked_state(), request.args.get("body", type=int)
    sort = request.args.get("sort", "-number")
    page = page_of(application_list.count(session, school, state, body_id))
    job_id = request.args.get("job")
    job = access.own(session, actor(), Job, job_id) if job_id else None
    return render_template(
        "school/applications.html",
        listed=application_list.page(
            session,
            school,
            state=state,
            body_id=body_id,
            sort=sort,
            limit=page.size,
            offset=page.offset,
        ),
        page=page,
        sort=sort,
        state=state,
        body_id=body_id,
        bodies=application_list.bodies(session, school),
        counts=application_list.counts(session, school),
        progress=progress(session, job, current_portal().clock()) if job else None,
    )


@blueprint.get("/applications/<int:application_id>")
@audience(Role.SCHOOL)
def application(application_id: int) -> str:
    found = access.own(db.session(), actor(), GroupApplication, application_id)
    page = page_of(application_list.count_members(db.session(), found))
    return render_template(
        "school/application.html",
        application=found,
        page=page,
        members=application_list.members(
            db.session(),
            current_portal().vault,
            found,
            limit=page.size,
            offset=page.offset,
        ),
    )


@blueprint.get("/applications/<int:application_id>/workbook")
@audience(Role.SCHOOL)
def export_application(application_id: int) -> Response:
    begin_writing()  # whole document numbers leave the portal: on record
    found = access.own(db.session(), actor(), GroupApplication, application_id)
    content = exporting.export(db.session(), current_portal().vault, actor(), found)
    number, occupation = found.number, found.occupation
    db.session.commit()
    return workbook(content, f"团体申报-{number}-{occupation}.xlsx")
