"""People's accounts, as administrators keep them."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from school_portal.blueprints.asking import narrowed_by
from school_portal.blueprints.http import origin
from school_portal.blueprints.identity import actor, audience, fresh
from school_portal.blueprints.pages import on_page
from school_portal.blueprints.paging import page_of
from school_portal.blueprints.settings.blueprint import blueprint
from school_portal.blueprints.settings.forms import ROLES, InvitationForm, RolesForm
from school_portal.domain.texts import trimmed
from school_portal.extensions import db
from school_portal.models import Role, School, User
from school_portal.services import accounts, histories, invitations, second_factor
from school_portal.services.access import NotFound, Refused
from school_portal.services.portal import Portal, current_portal

# Whoever may have an account.
LISTED = (Role.SCHOOL, Role.EXPERT, *(Role(choice.value) for choice in ROLES))


@blueprint.get("/users")
@audience(Role.ADMIN)
def users() -> str:
    session, text = db.session(), trimmed(request.args.get("q", ""))[:100]
    role = narrowed_by("role", Role)
    page = page_of(accounts.count(session, text, role))
    return render_template(
        "settings/users.html",
        users=accounts.page_of(session, text, role, limit=page.size, offset=page.offset),
        text=text,
        role=role,
        roles=LISTED,
        invitations=invitations.pending(session),
        now=current_portal().clock(),
        page=page,
    )


@blueprint.get("/users/new")
@audience(Role.ADMIN)
def new_user() -> str:
    return render_template("settings/user_new.html", form=_form())


@blueprint.post("/users/new")
@audience(Role.ADMIN)
@fresh
def invite_user() -> str | tuple[str, int]:
    session, form = db.session(), _form()
    if form.validate():
        school = session.get(School, form.school.data) if form.school.data else None
        roles = [Role.SCHOOL] if school else [Role(value) for value in form.roles.data or ()]
        username = trimmed(form.username.data or "")
        try:
            token = invitations.invite(
                session, current_portal(), actor(), username=username, roles=roles, school=school
            )
        except Refused as refusal:
            form.form_errors = [str(refusal)]
        else:
            session.commit()
            return _link(username, token)
    return render_template("settings/user_new.html", form=form), 422


@blueprint.get("/users/<int:user_id>")
@audience(Role.ADMIN)
def user(user_id: int) -> str:
    found = _user(user_id)
    form = RolesForm(roles=[role.value for role in found.roles])
    return _page(found, form)


@blueprint.post("/users/<int:user_id>/roles")
@on_page("settings.user")
@audience(Role.ADMIN)
@fresh
def set_user_roles(user_id: int) -> Response | tuple[str, int]:
    session, form, found = db.session(), RolesForm(), _user(user_id)
    if form.validate():
        roles = [Role(value) for value in form.roles.data or ()]
        try:
            accounts.set_roles(session, current_portal(), actor(), found, roles)
        except Refused as refusal:
            form.form_errors = [str(refusal)]
        else:
            session.commit()
            flash(f"已更改“{found.username}”的角色，其登录都已结束。", "good")
            return redirect(url_for("settings.user", user_id=user_id))
    return _page(found, form), 422


@blueprint.post("/users/<int:user_id>/invite")
@on_page("settings.user")
@audience(Role.ADMIN)
@fresh
def invite_again(user_id: int) -> str:
    found = _user(user_id)
    token = invitations.issue(db.session(), current_portal(), actor(), found)
    db.session.commit()
    return _link(found.username, token)


@blueprint.post("/users/<int:user_id>/<action>")
@on_page("settings.user")
@audience(Role.ADMIN)
@fresh
def change_user(user_id: int, action: str) -> Response:
    if action not in ACTIONS:
        raise NotFound(action)
    act, done = ACTIONS[action]
    found = _user(user_id)
    act(current_portal(), found)
    db.session.commit()
    flash(f"已{done}：{found.username}。", "good")
    return redirect(url_for("settings.user", user_id=user_id))


def _set_active(active: bool) -> Callable[[Portal, User], None]:
    def act(portal: Portal, found: User) -> None:
        now = portal.clock()
        accounts.set_active(db.session(), actor(), found.username, now, active=active)

    return act


# What is done to an account by one button, and how it is told.
ACTIONS: dict[str, tuple[Callable[[Portal, User], None], str]] = {
    "disable": (_set_active(False), "停用账户，其登录都已结束"),
    "enable": (_set_active(True), "恢复账户"),
    "end-sign-ins": (
        lambda portal, found: accounts.end_sign_ins(db.session(), portal, actor(), found),
        "结束所有登录",
    ),
    "revoke-invitation": (
        lambda portal, found: invitations.revoke(db.session(), portal, actor(), found),
        "撤销邀请链接",
    ),
    "remove-second-factor": (
        lambda portal, found: second_factor.remove_all(db.session(), portal, actor(), found),
        "停用全部第二重验证，其登录都已结束",
    ),
}


def _user(user_id: int) -> User:
    found = db.session.get(User, user_id)
    if found is None:
        raise NotFound("User")
    return found


def _form() -> InvitationForm:
    form = InvitationForm()
    schools = invitations.schools(db.session())
    form.school.choices = [(0, "不属于学校"), *((school.id, school.name) for school in schools)]
    return form


def _link(username: str, token: str) -> str:
    address = origin() + url_for("auth.invitation", token=token)
    return render_template("settings/user_link.html", username=username, address=address)


def _page(found: User, form: RolesForm) -> str:
    return render_template(
        "settings/user.html",
        changes=histories.of_record(db.session(), f"user:{found.id}", "user.", "second-factor."),
        user=found,
        form=form,
        invitation=invitations.pending(db.session()).get(found.id),
        now=current_portal().clock(),
    )
