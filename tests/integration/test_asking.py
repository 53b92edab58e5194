"""An address that asks for a part is answered with that part, or refused; never with the whole."""

from __future__ import annotations

from urllib.parse import quote

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from school_portal.domain.facts import Basis
from school_portal.domain.levels import Level
from school_portal.domain.projects import Project
from school_portal.domain.workflow import Role
from school_portal.models import BodyProject, Permission
from school_portal.services.portal import Portal
from school_portal.services.project_search import key_of
from tests.factories.evaluations import Desk
from tests.factories.operation import running
from tests.factories.visitor import Visitor, user

NARROWED = [
    (Role.ADMIN, "/settings/audit", "since", "2026-13-01", "2026-10-01"),
    (Role.ADMIN, "/settings/audit", "until", "昨天", "2026-10-01"),
    (Role.ADMIN, "/settings/audit", "upto", "x", "1"),
    (Role.ADMIN, "/settings/audit/export.csv", "since", "2026-13-01", "2026-10-01"),
    (Role.ADMIN, "/settings/audit/export.xlsx", "until", "2026-02-30", "2026-10-01"),
    (Role.ADMIN, "/settings/users", "role", "nobody", "school"),
    (Role.ADMIN, "/settings/workdays", "year", "二〇二六", "2026"),
    (Role.CENTRE, "/centre/openings", "state", "shut", "approved"),
    (Role.CENTRE, "/centre/permissions", "state", "shut", "granted"),
    (Role.CENTRE, "/centre/permissions", "school", "x", "1"),
    (Role.CENTRE, "/office/evaluations", "state", "shut", "submitted"),
    (Role.SCHOOL, "/school/applications", "state", "shut", "draft"),
    (Role.SCHOOL, "/school/applications", "body", "x", "1"),
    (Role.SCHOOL, "/school/applications/plan", "on", "2026-02-30", "2026-10-15"),
    (Role.SCHOOL, "/school/applications/plan", "show", "none", "excluded"),
    (Role.SCHOOL, "/school/students", "show", "none", "left"),
    (Role.SCHOOL, "/register", "level", "9", "4"),
]


@pytest.mark.parametrize(("role", "path", "name", "unreadable", "readable"), NARROWED)
def test_what_cannot_be_read_is_refused_and_no_filter_is_dropped(
    app: Flask,
    session: Session,
    portal: Portal,
    role: Role,
    path: str,
    name: str,
    unreadable: str,
    readable: str,
) -> None:
    school = running(session).school if role is Role.SCHOOL else None
    user(session, portal, "one", role=role, school=school)
    visitor = Visitor(app)
    visitor.sign_in("one")
    assert visitor.get(f"{path}?{name}={unreadable}").status_code == 400
    assert visitor.get(f"{path}?{name}={readable}").status_code == 200
    assert visitor.get(f"{path}?{name}=").status_code == 200  # a form's empty field


def test_a_decision_takes_in_all_that_is_named_or_nothing(
    app: Flask, session: Session, portal: Portal
) -> None:
    running(session)
    user(session, portal, "one", role=Role.CENTRE)
    granted = session.scalars(sa.select(Permission.id)).first()
    asked = f"/centre/permissions/decide?action=revoke&id={granted}"
    session.commit()
    visitor = Visitor(app)
    visitor.sign_in("one")
    assert visitor.get(asked).status_code == 200
    assert visitor.get(f"{asked}&id=x").status_code == 400


def test_what_a_search_leaves_out_is_said_and_what_is_ticked_takes_no_place(
    app: Flask, session: Session, portal: Portal
) -> None:
    made = running(session)
    projects = [Project(f"9-99-99-{n:02}", f"示例工{n:02}", "", Level.JUNIOR) for n in range(21)]
    for project in projects:
        session.add(BodyProject(body_id=made.social.id, basis=Basis.STANDARD, **project.columns()))
    user(session, portal, "one", role=Role.CENTRE)
    user(session, portal, "zhang", school=made.school)
    desk = Desk.of(session, portal, made.school)
    specialty = made.school.specialties[0].id
    search = f"/school/evaluations/{desk.draft().id}/projects?specialty={specialty}&q=示例工"
    path = f"/centre/schools/{made.school.id}/permissions/new?q=示例工"
    session.commit()
    visitor, operator = Visitor(app), Visitor(app)
    visitor.sign_in("one")
    operator.sign_in("zhang")
    assert "只列出前 20 项" in visitor.text(path)
    assert "只列出前面的部分项目" in operator.text(search)
    assert "只列出前面的部分项目" not in operator.text(f"{search}20")
    ticked = "".join(f"&project={quote(key_of(one))}" for one in projects[:20])
    page = visitor.text(path + ticked)
    assert "示例工20" in page
    assert "只列出" not in page


def test_a_project_that_is_none_is_not_passed_over(
    app: Flask, session: Session, portal: Portal
) -> None:
    school = running(session).school
    user(session, portal, "one", role=Role.CENTRE)
    path = f"/centre/schools/{school.id}/permissions/new"
    session.commit()
    visitor = Visitor(app)
    visitor.sign_in("one")
    assert visitor.get(path).status_code == 200
    assert visitor.get(f"{path}?project=none").status_code == 400
