"""A school asks for permissions of the skill-level route (N17S 二3, N17H 二3)."""

from __future__ import annotations

from secrets import token_hex
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from school_portal.blueprints.http import arrived, origin
from school_portal.blueprints.identity import actor, audience, own_school
from school_portal.blueprints.project_choice import asked, choice, keys, searched
from school_portal.blueprints.school.blueprint import blueprint
from school_portal.blueprints.school.signing import signed, signed_or_proved
from school_portal.domain.facts import Node
from school_portal.domain.projects import Project
from school_portal.extensions import db
from school_portal.models import Permission, Role
from school_portal.services import access, permission_requests, signed_papers
from school_portal.services import permissions as service
from school_portal.services.permission_requests import Wanted, uid_of
from school_portal.services.portal import current_portal
from school_portal.services.signed_contents import of_permissions


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


def _address(page: str, node: Node, projects: list[Project], **search: Any) -> str:
    """The page's address with what is chosen so far."""
    return url_for(f"school.{page}_permissions", node=node, project=keys(projects), **search)


@blueprint.get("/permissions/new")
@audience(Role.SCHOOL)
def new_permissions() -> str:
    return _page([])


@blueprint.post("/permissions/new")
@audience(Role.SCHOOL)
def request_permissions() -> tuple[str, int] | Response:
    """On to what was searched for, to what is wrong, or to the page that sends it."""
    portal, node, projects, search = current_portal(), _node(), asked(), searched()
    if search is not None:
        return redirect(_address("new", node, projects, **search))
    wrong = service.problems(db.session(), own_school(), node, projects, portal.today())
    if wrong:
        return _page(wrong), 422
    if portal.trust:
        return redirect(_address("confirm", node, projects))
    return _sent(Wanted(node, projects))


@blueprint.get("/permissions/confirm")
@audience(Role.SCHOOL)
def confirm_permissions() -> str | Response:
    """What is asked for, once more, under a uid of its own."""
    portal, school, node, projects = current_portal(), own_school(), _node(), asked()
    if service.problems(db.session(), school, node, projects, portal.today()):
        return redirect(_address("new", node, projects))
    nonce = token_hex(16)
    content = of_permissions(school, uid_of(portal.vault, school, nonce), node, projects)
    signs = signed_papers.key_for(portal, school)
    return render_template(
        "school/permission_confirm.html",
        school=school,
        node=node,
        edit=_address("new", node, projects),
        keys=keys(projects),
        projects=projects,
        nonce=nonce,
        message=signed_papers.message(origin(), content) if signs else None,
    )


@blueprint.post("/permissions/confirm")
@audience(Role.SCHOOL)
@signed_or_proved
def send_permissions() -> Response:
    uid = uid_of(current_portal().vault, own_school(), request.form.get("nonce", ""))
    return _sent(Wanted(_node(), asked(), uid))


def _sent(wanted: Wanted) -> Response:
    """Asked for, signed where the school has a key."""
    made = permission_requests.request(
        db.session(), current_portal(), actor(), own_school(), wanted, arrived(), signed()
    )
    db.session.commit()
    flash(
        f"申请 {made.number} 已提交，共 {len(made.lines)} 项，"
        "等待市职鉴中心审核。回执在申请编号的页面。",
        "good",
    )
    return redirect(url_for("school.account", _anchor="permissions"))


@blueprint.post("/permissions/<int:permission_id>/withdraw")
@audience(Role.SCHOOL)
def withdraw_permission(permission_id: int) -> Response:
    found = access.own(db.session(), actor(), Permission, permission_id)
    service.withdraw(db.session(), current_portal(), actor(), found)
    db.session.commit()
    flash(f"已撤回“{found.project.label}”的权限申请。", "info")
    return redirect(url_for("school.account", _anchor="permissions"))
