"""A whole number is shown once, to who must see it, with the reason on record."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from school_portal.domain.workflow import Role
from school_portal.models import AuditEvent, PersonalAct, School, Student
from school_portal.services import disclosure
from school_portal.services.access import NotFound
from school_portal.services.portal import Portal
from tests.factories import accounts
from tests.factories.enrolled import enrol
from tests.factories.operation import Operation, resident_id, running
from tests.factories.visitor import Visitor, user

SignedIn = Callable[[Role, School | None], Visitor]
WHY = "家长来电核对"


@pytest.fixture
def operation(session: Session) -> Operation:
    made = running(session)
    session.commit()
    return made


@pytest.fixture
def signed_in(app: Flask, session: Session, portal: Portal) -> SignedIn:
    def come(role: Role, school: School | None) -> Visitor:
        name = f"{role.value}{school.id if school else ''}"
        user(session, portal, name, role=role, school=school)
        visitor = Visitor(app)
        visitor.sign_in(name)
        return visitor

    return come


def reveals(session: Session) -> list[AuditEvent]:
    found = sa.select(AuditEvent).where(AuditEvent.action == "number.reveal")
    return list(session.scalars(found.order_by(AuditEvent.seq)))


def test_the_own_school_sees_a_student_s_number_once(
    session: Session, portal: Portal, operation: Operation, signed_in: SignedIn
) -> None:
    enrol(session, portal, operation.school, 1)
    student_id = session.scalars(sa.select(Student.id)).one()
    session.commit()
    page, number = f"/school/students/{student_id}/number", resident_id(1)
    school = signed_in(Role.SCHOOL, operation.school)
    assert number not in school.text(page)
    empty = school.post(page, reason=" ")
    assert (empty.status_code, number in empty.get_data(as_text=True)) == (422, False)
    assert reveals(session) == []
    session.commit()
    answer = school.post(page, reason=WHY)
    assert answer.headers["Cache-Control"] == "no-store"
    assert number in answer.get_data(as_text=True)
    assert number not in school.text(page)
    (event,) = reveals(session)
    assert (event.subject, event.detail) == (
        f"student:{student_id}",
        {"column": "document", "reason_sha256": sha256(WHY.encode()).hexdigest()},
    )
    act = session.scalars(sa.select(PersonalAct)).one()
    assert (act.subject, act.reason) == (event.subject, WHY)


def test_nobody_else_does(
    session: Session, portal: Portal, operation: Operation, signed_in: SignedIn
) -> None:
    enrol(session, portal, operation.school, 1)
    page = f"/school/students/{session.scalars(sa.select(Student.id)).one()}/number"
    session.commit()
    other = signed_in(Role.SCHOOL, operation.other)
    assert other.get(page).status_code == other.post(page, reason=WHY).status_code == 404
    for role in (Role.CENTRE, Role.ADMIN, Role.BUREAU):
        visitor = signed_in(role, None)
        assert visitor.post(page, reason=WHY).status_code == 403
    assert reveals(session) == []


@pytest.mark.parametrize(
    ("column", "number"), [("operator_document", accounts.DOCUMENT), ("key_id", accounts.KEY)]
)
def test_the_centre_sees_an_application_s_numbers(
    session: Session,
    portal: Portal,
    operation: Operation,
    signed_in: SignedIn,
    column: str,
    number: str,
) -> None:
    opening = accounts.requested(session, portal, operation.school)
    page = f"/centre/openings/{opening.id}/numbers/{column}"
    subject = opening.subject
    centre = signed_in(Role.CENTRE, None)
    assert number not in centre.text(page)
    assert number in centre.post(page, reason=WHY).get_data(as_text=True)
    (event,) = reveals(session)
    assert (event.subject, event.detail["column"]) == (subject, column)
    session.commit()
    assert signed_in(Role.ADMIN, None).post(page, reason=WHY).status_code == 403
    assert centre.get(page.replace(column, "leader")).status_code == 404


@pytest.mark.parametrize("column", ["leader_mobile", "operator", "key_id_sealed", "__class__"])
def test_nothing_else_of_an_application_is_shown_so(
    session: Session, portal: Portal, operation: Operation, column: str
) -> None:
    opening = accounts.requested(session, portal, operation.school)
    with pytest.raises(NotFound):
        disclosure.of_opening(session, portal, accounts.CENTRE, opening, column, WHY)
    assert reveals(session) == []


def test_a_draft_is_not_the_centre_s_to_read(
    session: Session, portal: Portal, operation: Operation, signed_in: SignedIn
) -> None:
    opening = accounts.drafted(session, portal, operation.school)
    session.commit()
    page = f"/centre/openings/{opening.id}/numbers/key_id"
    assert signed_in(Role.CENTRE, None).post(page, reason=WHY).status_code == 404
