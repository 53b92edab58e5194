"""A school asks for permissions of the skill-level route (N17S 二3, N17H 二3)."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from school_portal.blueprints.identity import actor, audience, own_school
from school_portal.blueprints.project_choice import asked, choice, keys, searched
from school_portal.blueprints.school.blueprint import blueprint
from school_portal.domain.facts import Node
from school_portal.extensions import db
from school_portal.models import Permission, Role
from school_portal.services import access
from school_portal.services import permissions as service
from school_portal.services.portal import current_portal


def _node() -> Node:
    value = request.values.get("node", "")
    return Node(value) if value in set(Node) else Node.SOCIAL


def _page(problems: list[str]) -> str:
    school, node = own_school(), _node()
    return render_template(
        "school/permission_new.html",
        school=school,
        node=node,
        nodes=Node,
        cap=service.cap(school),
        choice=choice(db.session(), asked(), cap=service.cap(school), node=node),
        problems=problems,
    )


@blueprint.get("/permissions/new")
@audience(Role.SCHOOL)
def new_permissions() -> str:
    return _page([])


@blueprint.post("/permissions/new")
@audience(Role.SCHOOL)
def request_permissions() -> tuple[str, int] | Response:
    session, portal, school = db.session(), current_portal(), own_school()
    node, projects, search = _node(), asked(), searched()
    if search is not None:
        chosen = keys(projects)
        return redirect(url_for("school.new_permissions", node=node, project=chosen, **search))
    wrong = service.problems(session, school, node, projects, portal.today())
    if wrong:
        return _page(wrong), 422
    made = service.request(session, portal, actor(), school, node, projects)
    session.commit()
    flash(f"申请 {made.number} 已提交，共 {len(made.lines)} 项，等待市职鉴中心审核。", "good")
    return redirect(url_for("school.account", _anchor="permissions"))


@blueprint.post("/permissions/<int:permission_id>/withdraw")
@audience(Role.SCHOOL)
def withdraw_permission(permission_id: int) -> Response:
    found = access.own(db.session(), actor(), Permission, permission_id)
    service.withdraw(db.session(), current_portal(), actor(), found)
    db.session.commit()
    flash(f"已撤回“{found.project.label}”的权限申请。", "info")
    return redirect(url_for("school.account", _anchor="permissions"))
