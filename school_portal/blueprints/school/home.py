"""A school's home and its specialties."""

from __future__ import annotations

from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from school_portal.blueprints.http import row_id
from school_portal.blueprints.identity import actor, audience, own_school
from school_portal.blueprints.school.blueprint import blueprint
from school_portal.domain.roster import RosterState
from school_portal.extensions import db
from school_portal.models import Body, Role, Specialty
from school_portal.services import access, applications, school_desk, worklist
from school_portal.services.portal import current_portal
from school_portal.services.school_desk import Desk
from school_portal.services.windows import windows_of


@dataclass(frozen=True, slots=True)
class Step:
    """One of the steps from roster to application; the first that is not done is next."""

    title: str
    text: str
    done: bool
    address: str
    action: str


def steps(desk: Desk) -> list[Step]:
    """What has been done and what is next, from the data."""
    waiting = [one for one in desk.rosters if one.state is RosterState.CHECKED]
    working = [one for one in desk.rosters if one.state is not RosterState.CHECKED]
    current = next(iter(waiting + working), None)
    at_roster = (
        url_for("school.roster", roster_id=current.id) if current else url_for("school.rosters")
    )
    checked = f"“{current.file_name}”" if current else ""
    return [
        Step(
            "上传名册",
            f"已保存 {desk.students} 名学生。"
            if desk.students
            else "先下载名册模板，填好毕业学年学生后上传。",
            bool(desk.students or current),
            url_for("school.upload"),
            "上传名册",
        ),
        Step(
            "核对并确认",
            f"{checked}已检查完，请核对后确认保存。"
            if waiting
            else f"{checked}正在处理，可以离开本页。"
            if working
            else "检查结果由学校确认后才写入，没有待确认的名册。",
            bool(desk.students) and not current,
            at_roster,
            "核对名册" if waiting else "查看进度" if working else "查看名册",
        ),
        Step(
            "查看申报计划并生成",
            f"{desk.unplanned} 名学生不在任何在办的团体申报中，原因见申报计划。"
            if desk.unplanned and desk.generated
            else f"{desk.unplanned} 名学生还没有生成团体申报。"
            if desk.unplanned
            else "保存的学生都已在团体申报中。"
            if desk.students
            else "谁能申报、谁不能申报、为什么，都列在计划里。",
            bool(desk.students) and (not desk.unplanned or desk.generated),
            url_for("school.plan"),
            "查看申报计划",
        ),
        Step(
            "签名并提交",
            f"有 {desk.drafts} 份草稿，请核对名单，用学校的密钥签名提交。"
            if desk.drafts
            else "生成后核对名单，用学校的密钥签名提交。",
            False,
            url_for("school.applications"),
            "查看团体申报",
        ),
    ]


@blueprint.get("/")
@audience(Role.SCHOOL)
def home() -> str:
    school, portal = own_school(), current_portal()
    desk = school_desk.desk(db.session(), school, portal.today())
    listed = steps(desk)
    following = next((step for step in listed if not step.done), listed[-1])
    return render_template(
        "school/home.html",
        school=school,
        desk=desk,
        steps=listed,
        following=following,
        items=worklist.items(db.session(), portal, actor()),
        specialties=school_desk.specialties(db.session(), school, portal.today()),
        windows=windows_of(db.session(), portal.clock(), Role.SCHOOL, school),
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
