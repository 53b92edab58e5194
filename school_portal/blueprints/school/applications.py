"""Group applications: the list, one of them, its workbook."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Redirect

from school_portal.blueprints.asking import narrowed_by
from school_portal.blueprints.decisions import ReasonForm
from school_portal.blueprints.downloads import workbook
from school_portal.blueprints.http import arrived, origin, row_id
from school_portal.blueprints.identity import actor, audience, begin_writing, own_school
from school_portal.blueprints.limits import PAPERS
from school_portal.blueprints.pages import on_page
from school_portal.blueprints.paging import page_of
from school_portal.blueprints.school.blueprint import blueprint
from school_portal.blueprints.school.signing import signed
from school_portal.domain.group_application import (
    APPLICATION_WORKFLOW,
    ApplicationAction,
    ApplicationState,
)
from school_portal.domain.violations import Reason
from school_portal.extensions import db
from school_portal.models import GroupApplication, Job, Role
from school_portal.services import (
    access,
    application_list,
    exporting,
    group_submission,
    signed_contents,
    signed_papers,
    verification,
)
from school_portal.services.portal import current_portal
from school_portal.services.progress import progress

Stopped = Sequence[tuple[str, Sequence[Reason]]]


@blueprint.get("/applications")
@audience(Role.SCHOOL)
def applications() -> str:
    school, session = own_school(), db.session()
    state, body_id = narrowed_by("state", ApplicationState), narrowed_by("body", row_id)
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


def application_page(found: GroupApplication, stopped: Stopped = ()) -> str:
    """The application's page; `stopped` are those for whom it was just refused."""
    session, portal = db.session(), current_portal()
    page = page_of(application_list.count_members(session, found))
    signable = found.state is ApplicationState.DRAFT and portal.trust
    content = signed_contents.of_application(session, portal.vault, found) if signable else None
    return render_template(
        "school/application.html",
        application=found,
        page=page,
        members=application_list.members(session, portal.vault, found),
        message=signed_papers.message(origin(), content) if content else None,
        off=signed_papers.OFF,
        handed_in=verification.signed(session, found)[::-1],
        withdrawable=(found.state, ApplicationAction.WITHDRAW, Role.SCHOOL)
        in APPLICATION_WORKFLOW.table,
        stopped=stopped,
        stopping=_by_reason(stopped),
    )


def _by_reason(stopped: Stopped) -> dict[Reason, list[str]]:
    """Each reason once, with the numbers of those whom it stops."""
    found: dict[Reason, list[str]] = {}
    for number, reasons in stopped:
        for reason in reasons:
            found.setdefault(reason, []).append(number)
    return found


@blueprint.get("/applications/<int:application_id>")
@audience(Role.SCHOOL)
def application(application_id: int) -> str:
    found = access.own(db.session(), actor(), GroupApplication, application_id)
    return application_page(found)


@blueprint.post("/applications/<int:application_id>/submit")
@on_page("school.application")
@audience(Role.SCHOOL)
def submit_application(application_id: int) -> Redirect | tuple[str, int]:
    found = access.own(db.session(), actor(), GroupApplication, application_id)
    portal = current_portal()
    try:
        group_submission.submit(db.session(), portal, actor(), found, signed(), arrived())
    except group_submission.NoLongerEligible as refused:
        db.session.rollback()
        return application_page(found, refused.students), 409
    db.session.commit()
    flash(f"已签名并提交，编号 {found.number}。回执在本页，可随时下载。", "good")
    return redirect(url_for("school.application", application_id=application_id))


@blueprint.get("/applications/<int:application_id>/workbook")
@audience(Role.SCHOOL)
@PAPERS
def export_application(application_id: int) -> Response:
    begin_writing()  # whole document numbers leave the portal: on record
    found = access.own(db.session(), actor(), GroupApplication, application_id)
    content = exporting.export(db.session(), current_portal().vault, actor(), found)
    number, occupation = found.number, found.occupation
    db.session.commit()
    return workbook(content, f"团体申报-{number}-{occupation}.xlsx")


@blueprint.get("/applications/<int:application_id>/withdraw")
@audience(Role.SCHOOL)
def withdraw_application(application_id: int) -> str:
    found = access.own(db.session(), actor(), GroupApplication, application_id)
    return render_template(
        "school/application_withdraw.html", application=found, reason=ReasonForm()
    )


@blueprint.post("/applications/<int:application_id>/withdraw")
@audience(Role.SCHOOL)
def confirm_application_withdrawal(application_id: int) -> tuple[str, int] | Redirect:
    found, form = access.own(db.session(), actor(), GroupApplication, application_id), ReasonForm()
    if not form.validate():
        page = render_template("school/application_withdraw.html", application=found, reason=form)
        return page, 422
    reason = form.reason.data or ""
    group_submission.withdraw(db.session(), current_portal(), actor(), found, reason)
    db.session.commit()
    flash(f"已撤回 {found.number}。其中的学生可以重新列入申报计划。", "info")
    return redirect(url_for("school.application", application_id=application_id))
