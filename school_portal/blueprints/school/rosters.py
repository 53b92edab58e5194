"""Rosters: the list, the upload, one page through all states of a roster."""

from __future__ import annotations

import secrets
from typing import BinaryIO, cast

from flask import Response, flash, redirect, render_template, request, url_for
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as Redirect

from school_portal.blueprints.downloads import workbook
from school_portal.blueprints.http import request_id
from school_portal.blueprints.identity import actor, audience, begin_writing, own_school
from school_portal.blueprints.limits import JOBS, PAPERS, UPLOADS
from school_portal.blueprints.paging import page_of
from school_portal.blueprints.school.blueprint import blueprint
from school_portal.blueprints.school.forms import UploadForm
from school_portal.blueprints.school.roster_page import roster_page
from school_portal.domain.texts import trimmed
from school_portal.extensions import db
from school_portal.models import Role, Roster
from school_portal.services import access, reviewing, saving, school_desk
from school_portal.services import rosters as service
from school_portal.services.access import Refused
from school_portal.services.portal import current_portal
from school_portal.streams import TooLarge


@blueprint.get("/rosters")
@audience(Role.SCHOOL)
def rosters() -> str:
    school, session = own_school(), db.session()
    page = page_of(school_desk.count_rosters(session, school))
    listed = school_desk.rosters(session, school, limit=page.size, offset=page.offset)
    return render_template("school/rosters.html", rosters=listed, page=page)


@blueprint.get("/rosters/template")
@audience(Role.SCHOOL)
@PAPERS
def roster_template() -> Response:
    school = own_school()
    content = reviewing.template(db.session(), school, current_portal().today())
    return workbook(content, f"名册模板-{school.name}.xlsx")


@blueprint.get("/rosters/new")
@audience(Role.SCHOOL)
def upload() -> str:
    return render_template("school/upload.html", form=UploadForm(token=secrets.token_urlsafe(16)))


@blueprint.post("/rosters/new")
@audience(Role.SCHOOL)
@UPLOADS
def receive() -> tuple[str, int] | Redirect:
    form = UploadForm()
    if form.validate():
        file = cast(FileStorage, form.file.data)
        try:
            roster = keep(
                cast(BinaryIO, file.stream),
                file.filename or "名册",
                sheet=trimmed(form.sheet.data or "") or None,
                token=form.token.data or secrets.token_urlsafe(16),
            )
        except TooLarge:
            form.file.errors = ["文件超过 50 MB，请删去无关内容或分成几个文件后重新上传。"]
        except Refused as refused:
            form.file.errors = [str(refused)]
        else:
            return redirect(url_for("school.roster", roster_id=roster.id))
    return render_template("school/upload.html", form=form), 422


def keep(stream: BinaryIO, name: str, *, sheet: str | None, token: str) -> Roster:
    """Keep the file and have it checked."""
    roster = service.upload(
        db.session(),
        current_portal(),
        actor(),
        own_school().id,
        stream,
        name,
        sheet=sheet,
        token=token,
        request_id=request_id(),
    )
    db.session.commit()
    return roster


@blueprint.get("/rosters/<int:roster_id>")
@audience(Role.SCHOOL)
def roster(roster_id: int) -> str:
    found = access.own(db.session(), actor(), Roster, roster_id)
    return render_template(
        "school/roster.html", **roster_page(db.session(), current_portal(), found)
    )


@blueprint.post("/rosters/<int:roster_id>/sheet")
@audience(Role.SCHOOL)
@JOBS
def choose_sheet(roster_id: int) -> Redirect:
    """Check the same file again, another sheet of it; the refused roster is given up."""
    session, portal = db.session(), current_portal()
    found = access.own(session, actor(), Roster, roster_id)
    sheet = request.form.get("sheet", "")[:100]
    reviewing.still_kept(found)
    with portal.storage.open(found.storage_key) as source:
        again = keep(source, found.file_name, sheet=sheet, token=secrets.token_urlsafe(16))
    service.discard(session, actor(), found)
    session.commit()
    return redirect(url_for("school.roster", roster_id=again.id))


@blueprint.post("/rosters/<int:roster_id>/confirm")
@audience(Role.SCHOOL)
@JOBS
def confirm(roster_id: int) -> Redirect:
    session, portal = db.session(), current_portal()
    found = access.own(session, actor(), Roster, roster_id)
    service.confirm(
        session,
        portal,
        actor(),
        found,
        accept_valid=request.form.get("accept_valid") == "yes",
        expected=request.form.get("rows", type=int),
        request_id=request_id(),
    )
    session.commit()
    return redirect(url_for("school.roster", roster_id=roster_id))


@blueprint.post("/rosters/<int:roster_id>/resume")
@audience(Role.SCHOOL)
@JOBS
def resume(roster_id: int) -> Redirect:
    session = db.session()
    found = access.own(session, actor(), Roster, roster_id)
    saving.resume(session, current_portal(), actor(), found, request_id=request_id())
    session.commit()
    return redirect(url_for("school.roster", roster_id=roster_id))


@blueprint.post("/rosters/<int:roster_id>/discard")
@audience(Role.SCHOOL)
def discard(roster_id: int) -> Redirect:
    found = access.own(db.session(), actor(), Roster, roster_id)
    name = found.file_name
    service.discard(db.session(), actor(), found)
    db.session.commit()
    flash(f"已放弃名册“{name}”，没有写入任何学生。", "info")
    return redirect(url_for("school.rosters"))


@blueprint.get("/rosters/<int:roster_id>/errors")
@audience(Role.SCHOOL)
@PAPERS
def error_workbook(roster_id: int) -> Response:
    session, portal = db.session(), current_portal()
    found = access.own(session, actor(), Roster, roster_id)
    name = found.file_name.rsplit(".", 1)[0]
    content = reviewing.error_workbook(session, portal, found)
    begin_writing()  # not before: it may have taken long
    reviewing.note_handed_back(session, portal, actor(), found)
    session.commit()
    return workbook(content, f"{name}-标错.xlsx")
