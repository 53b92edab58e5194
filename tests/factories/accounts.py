"""Accounts to be opened: people who act, and annex 2 filled in."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from school_portal.domain.facts import Node
from school_portal.domain.levels import Level
from school_portal.domain.projects import Project
from school_portal.domain.workflow import Role
from school_portal.models import AccountOpening, PermissionRequest, School
from school_portal.services import account_openings, permission_requests
from school_portal.services.access import Actor
from school_portal.services.account_openings import Entry
from school_portal.services.permission_requests import Wanted
from school_portal.services.portal import Portal
from tests.factories.operation import resident_id

DRINKS_4 = Project("4-03-02-10", "调饮师", "", Level.INTERMEDIATE)
MOBILE, DOCUMENT, KEY = "13800000001", resident_id(7), "SF@SAMPLE-KEY-0001"

ENTRY = Entry(
    legal_representative="校长",
    district="黄浦区",
    leader="李副校长",
    leader_mobile=MOBILE,
    contact="王老师",
    contact_mobile="13800000002",
    operator="张老师",
    operator_document=DOCUMENT,
    key_id=KEY,
    opinion="同意申报。",
    handler="王老师",
    handled_on=date(2026, 10, 15),
    lines=(DRINKS_4,),
)


def entry(**changes: Any) -> Entry:
    """A sound annex 2, some of it changed."""
    return replace(ENTRY, **changes)


def acting(role: Role, school: School | None = None) -> Actor:
    """Somebody of that role, of no user's account."""
    return Actor(None, role, school.id if school else None, f"test:{role.value}")


CENTRE = acting(Role.CENTRE)


def asked_for(
    session: Session, portal: Portal, school: School, *projects: Project
) -> PermissionRequest:
    """What the school asked for at a social body."""
    who, wanted = acting(Role.SCHOOL, school), Wanted(Node.SOCIAL, projects)
    return permission_requests.request(session, portal, who, school, wanted, portal.clock())


def drafted(session: Session, portal: Portal, school: School, **changes: Any) -> AccountOpening:
    """The school's application, filled in and not handed in."""
    opening = account_openings.start(session, portal, acting(Role.SCHOOL, school), school)
    account_openings.save(session, portal, opening, entry(**changes))
    return opening


def requested(session: Session, portal: Portal, school: School, **changes: Any) -> AccountOpening:
    """The same, handed in."""
    opening = drafted(session, portal, school, **changes)
    who = acting(Role.SCHOOL, school)
    account_openings.request(session, portal, who, opening, portal.clock())
    session.commit()
    return opening


def received(session: Session, portal: Portal, school: School, **changes: Any) -> AccountOpening:
    """The same, its original received today."""
    opening = requested(session, portal, school, **changes)
    account_openings.receive_original(session, portal, CENTRE, opening, portal.today())
    session.commit()
    return opening


def approved(session: Session, portal: Portal, school: School, **changes: Any) -> AccountOpening:
    """The same, approved."""
    opening = received(session, portal, school, **changes)
    account_openings.approve(session, portal, CENTRE, opening)
    session.commit()
    return opening
