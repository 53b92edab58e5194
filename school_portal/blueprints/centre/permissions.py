"""Permissions at the centre: lists by state, and decisions on many at once."""

from __future__ import annotations

from flask import abort, flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response

from school_portal.blueprints.asking import all_named, narrowed_by
from school_portal.blueprints.centre.blueprint import blueprint
from school_portal.blueprints.decisions import ReasonForm
from school_portal.blueprints.http import row_id
from school_portal.blueprints.identity import actor, audience, fresh
from school_portal.blueprints.looks import LOOKS
from school_portal.blueprints.paging import page_of
from school_portal.domain.permission import PermissionAction, PermissionState
from school_portal.domain.workflow import Role
from school_portal.extensions import db
from school_portal.models import Permission
from school_portal.services import histories, permission_list, verification
from school_portal.services import permissions as service
from school_portal.services.grounds import grounds
from school_portal.services.portal import current_portal

# What the centre may do with the lines of a tab.
OFFERED = {
    PermissionState.REQUESTED: (PermissionAction.REFUSE, PermissionAction.GRANT),
    PermissionState.GRANTED: (PermissionAction.REVOKE,),
}
NOTIFIED = (PermissionState.GRANTED, PermissionState.REFUSED)  # what a notice is printed of


@blueprint.get("/permissions")
@audience(Role.CENTRE)
def permissions() -> str:
    session = db.session()
    state = narrowed_by("state", PermissionState) or PermissionState.REQUESTED
    school_id = narrowed_by("school", row_id)
    counts = permission_list.counts(session, school_id)
    page, today = page_of(counts.get(state, 0)), current_portal().today()
    listed = permission_list.page(
        session, today, state=state, school_id=school_id, limit=page.size, offset=page.offset
    )
    return render_template(
        "centre/permissions.html",
        listed=list(
            zip(listed, grounds(session, [one.permission for one in listed], today), strict=True)
        ),
        tabs_of=[
            (one.value, f"{look.word} {counts.get(one, 0)}")
            for one, look in LOOKS[PermissionState].items()
        ],
        state=state,
        offered=OFFERED.get(state, ()),
        schools=permission_list.schools(session),
        school_id=school_id,
        page=page,
    )


@blueprint.get("/permissions/requests/<int:request_id>")
@audience(Role.CENTRE)
def permission_request(request_id: int) -> str:
    """What a school asked for together: what each rests on, and what became of it."""
    session, today = db.session(), current_portal().today()
    found = permission_list.request(session, request_id)
    lines = permission_list.of_request(session, found, today)
    waiting = [one for one in found.lines if one.state is PermissionState.REQUESTED]
    return render_template(
        "centre/permission_request.html",
        asked=found,
        lines=list(zip(lines, grounds(session, found.lines, today), strict=True)),
        waiting=waiting,
        offered=OFFERED[PermissionState.REQUESTED] if waiting else (),
        decided=any(one.state in NOTIFIED for one in found.lines),
        changes=histories.of_request(session, found),
        handed_in=verification.verify(session, found).handed_in,
    )


def _asked() -> tuple[PermissionAction, list[Permission]]:
    """The action and the lines that the request names, all still to be decided so."""
    value = request.values.get("action", "")
    if value not in {one.value for actions in OFFERED.values() for one in actions}:
        abort(404)
    action = PermissionAction(value)
    return action, service.select(db.session(), all_named("id", row_id), action)


def _page(action: PermissionAction, chosen: list[Permission], form: FlaskForm) -> str:
    found = grounds(db.session(), chosen, current_portal().today())
    return render_template(
        "centre/permissions_decide.html",
        action=action,
        grounds=found,
        beyond=[text for one in chosen if (text := service.above_cap(one.school, one.project))],
        bare=sum(1 for one in found if not one.lines),
        form=form,
    )


@blueprint.get("/permissions/decide")
@audience(Role.CENTRE)
def confirm_decision() -> str:
    """Exactly the lines that were selected, what each rests on, and how many there are."""
    action, chosen = _asked()
    return _page(action, chosen, FlaskForm() if action is PermissionAction.GRANT else ReasonForm())


@blueprint.post("/permissions/decide")
@audience(Role.CENTRE)
@fresh
def decide() -> tuple[str, int] | Response:
    """All of them, or none."""
    session, portal = db.session(), current_portal()
    action, chosen = _asked()
    ids = [one.id for one in chosen]
    if action is PermissionAction.GRANT:
        confirmed = request.form.get("confirmed") == "yes"
        service.grant(session, portal, actor(), ids, confirmed)
    else:
        form = ReasonForm()
        if not form.validate():
            return _page(action, chosen, form), 422
        act = service.refuse if action is PermissionAction.REFUSE else service.revoke
        act(session, portal, actor(), ids, form.reason.data or "")
    session.commit()
    flash(f"已对 {len(ids)} 项权限进行“{action.label}”。", "good")
    return redirect(url_for("centre.permissions"))
