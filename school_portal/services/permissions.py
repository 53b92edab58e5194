"""Permissions for group applications: asked for by schools, decided by the centre (rulebook 4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from school_portal.domain.facts import Node
from school_portal.domain.levels import Level
from school_portal.domain.permission import (
    PERMISSION_WORKFLOW,
    PermissionAction,
    PermissionState,
    cap_of,
)
from school_portal.domain.projects import Project
from school_portal.domain.roster import Route
from school_portal.domain.violations import RULES, policy_clause
from school_portal.domain.windows import Period, civil_date
from school_portal.domain.workflow import Role
from school_portal.models import Permission, School
from school_portal.services import policies
from school_portal.services.access import Actor, NotFound, Refused, lock
from school_portal.services.grounds import grounds
from school_portal.services.portal import Portal
from school_portal.services.project_search import carried
from school_portal.services.transitions import apply, latest_change


def cap(school: School) -> Level:
    """The highest level that the school may be permitted (rulebook 6, 3)."""
    return cap_of(school.levels)


def above_cap(school: School, project: Project) -> str:
    """Why the project is beyond the school's cap, as a sentence; empty where it is not."""
    if project.level >= cap(school):
        return ""
    highest = min(school.levels, key=lambda level: level.cap)
    clauses = "；".join(RULES["LEVEL-CAP"].clauses(highest))
    return (
        f"“{project.label}”高于“{school.name}”可开通的最高等级{cap(school).label}，"
        f"请改选其他等级（{clauses}）。"
    )


def not_open_to(
    session: Session, school: School, node: Node | None, projects: Iterable[Project], on: date
) -> list[str]:
    """Why the school cannot ask for each of the projects, in sentences; empty where it can."""
    filed, found = carried(session, on, node), []
    for project in projects:
        beyond = above_cap(school, project)
        if beyond:
            found.append(beyond)
        if project not in filed:
            kind = f"“{node.label}”的" if node else ""
            found.append(f"“{project.label}”没有备案有效的{kind}评价机构开展，请改选其他项目。")
    return found


def problems(
    session: Session, school: School, node: Node, projects: Sequence[Project], on: date
) -> list[str]:
    """What keeps the school from asking for these on the skill-level route, in sentences."""
    if not projects:
        return ["请至少选择一项职业（工种）与等级。"]
    found = not_open_to(session, school, node, projects, on)
    for one in _of_school(session, school, Route.SKILL_LEVEL, node):
        if one.project not in projects:
            continue
        if one.state is PermissionState.REQUESTED:
            found.append(f"“{one.project.label}”已有一份申请待审核，不用再次申请。")
        elif one.state is PermissionState.GRANTED and _in_force(one, on):
            found.append(f"“{one.project.label}”的权限已经开通，不用再次申请。")
    return found


def _of_school(
    session: Session, school: School, route: Route, node: Node | None
) -> Sequence[Permission]:
    return session.scalars(
        sa.select(Permission)
        .where(
            Permission.school_id == school.id,
            Permission.route == route,
            Permission.node.is_(None) if node is None else Permission.node == node,
        )
        .order_by(Permission.id)
    ).all()


def _in_force(permission: Permission, on: date) -> bool:
    return Period(permission.starts_on, permission.ends_on).covers(on)


def wanted(school: School, route: Route, node: Node | None, project: Project) -> Permission:
    """A permission not yet decided; nothing is written."""
    return Permission(
        school_id=school.id,
        route=route,
        node=node,
        state=PermissionState.REQUESTED,
        **project.columns(),
    )


def withdraw(session: Session, portal: Portal, actor: Actor, permission: Permission) -> None:
    """Take a line back before it is decided. Raises Refused."""
    _apply(session, portal.clock(), actor, permission, PermissionAction.WITHDRAW)


def select(session: Session, ids: Iterable[int], action: PermissionAction) -> list[Permission]:
    """The permissions of those ids for the centre to decide.

    Raises Refused where none is named or where somebody decided one meanwhile (who and when is
    said), and NotFound.
    """
    asked = sorted(set(ids))
    if not asked:
        raise Refused("没有选中任何权限，请先勾选要办理的各项。")
    found = session.scalars(
        sa.select(Permission)
        .where(Permission.id.in_(asked))
        .options(joinedload(Permission.school))
        .order_by(Permission.id)
    ).all()
    if len(found) != len(asked):
        raise NotFound("Permission")
    stale = [one for one in found if not _may(one, action)]
    if stale:
        told = "".join(
            f"“{one.school.name}”的“{one.project.label}”现为“{one.state.label}”。"
            f"{latest_change(session, one.subject)}"
            for one in stale
        )
        raise Refused(f"{told}所选各项都没有办理，请回到列表重新选择。")
    return list(found)


def _may(permission: Permission, action: PermissionAction) -> bool:
    return action in PERMISSION_WORKFLOW.actions(permission.state, Role.CENTRE)


def grant(
    session: Session,
    portal: Portal,
    actor: Actor,
    ids: Iterable[int],
    confirmed_without_basis: bool = False,
) -> list[Permission]:
    """Grant all of them from today on, or none.

    Raises Refused: above the cap always; in force already; without an evaluation line in force
    unless that was confirmed and the policy lets it; or decided by somebody meanwhile.
    """
    chosen, today = select(session, ids, PermissionAction.GRANT), portal.today()
    wrong = [text for one in chosen if (text := above_cap(one.school, one.project))]
    for one in chosen:
        for other in _of_school(session, one.school, one.route, one.node):
            granted = other.state is PermissionState.GRANTED and _in_force(other, today)
            if granted and other.project == one.project:
                wrong.append(f"“{one.school.name}”的“{one.project.label}”已经开通。")
    bare = [one.permission for one in grounds(session, chosen, today) if not one.lines]
    possible = policies.current(session).permission_without_evaluation
    if not (confirmed_without_basis and possible):
        clause = policy_clause("permission_without_evaluation")
        what = "须确认后才能开通。" if possible else f"不能开通（{clause}）。"
        wrong += [
            f"“{one.school.name}”的“{one.project.label}”没有有效的评估结论，{what}" for one in bare
        ]
    if wrong:
        raise Refused(f"{''.join(wrong)}所选各项都没有开通。")
    now = portal.clock()
    for one in chosen:
        _apply(session, now, actor, one, PermissionAction.GRANT, without_basis=one in bare)
        one.starts_on = today
    return chosen


def grant_qualification(
    session: Session,
    portal: Portal,
    actor: Actor,
    school: School,
    projects: Sequence[Project],
    confirmed_without_basis: bool = False,
) -> list[Permission]:
    """The centre opens permissions of the qualification route itself (N17S 二3). As `grant`."""
    lock(session, school.id)
    projects = list(dict.fromkeys(projects))
    wrong = not_open_to(session, school, None, projects, portal.today())
    if wrong:
        raise Refused("".join(wrong))
    made = [wanted(school, Route.QUALIFICATION, None, project) for project in projects]
    session.add_all(made)
    session.flush()
    ids = [one.id for one in made]
    return grant(session, portal, actor, ids, confirmed_without_basis)


def refuse(
    session: Session, portal: Portal, actor: Actor, ids: Iterable[int], reason: str
) -> list[Permission]:
    """Refuse all of them, or none. Raises Refused."""
    chosen, now = select(session, ids, PermissionAction.REFUSE), portal.clock()
    for one in chosen:
        _apply(session, now, actor, one, PermissionAction.REFUSE, reason)
    return chosen


def revoke(
    session: Session, portal: Portal, actor: Actor, ids: Iterable[int], reason: str
) -> list[Permission]:
    """Revoke all of them, or none: not in force from today on. Raises Refused."""
    chosen, now = select(session, ids, PermissionAction.REVOKE), portal.clock()
    last = civil_date(now) - timedelta(days=1)
    for one in chosen:
        _apply(session, now, actor, one, PermissionAction.REVOKE, reason)
        one.ends_on = min(one.ends_on or last, last)
    return chosen


def _apply(
    session: Session,
    at: datetime,
    actor: Actor,
    permission: Permission,
    action: PermissionAction,
    reason: str = "",
    **detail: bool,
) -> None:
    """One move; what is decided together has one instant."""
    apply(
        session,
        PERMISSION_WORKFLOW,
        permission,
        action,
        actor.role or Role.SYSTEM,
        actor=actor,
        at=at,
        reason=reason,
        **detail,
    )
