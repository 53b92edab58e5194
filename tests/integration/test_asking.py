"""An address that asks for a part is answered with that part, or refused; never with the whole."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from school_portal.domain.workflow import Role
from school_portal.models import Permission
from school_portal.services.portal import Portal
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
