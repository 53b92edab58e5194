"""What is sealed opens in its own row alone, wherever it was sealed and whoever moved it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.config import Settings, read
from school_portal.domain.roster import Enrolment
from school_portal.models import GroupApplication, Restriction, Student
from school_portal.security.cipher import Unreadable
from school_portal.services import (
    accounts,
    applications,
    disclosure,
    exporting,
    group_submission,
    keys,
    personal,
    personal_changes,
    reindexing,
    second_factor,
)
from school_portal.services.access import Actor
from school_portal.services.portal import Portal
from tests.factories.accounts import approved
from tests.factories.authority import World
from tests.factories.enrolled import enrol
from tests.factories.evaluations import Desk
from tests.factories.operation import resident_id, running, student
from tests.factories.signing import ca_settings, signers
from tests.integration.test_rosters import checked

CONSOLE = Actor.operator_at_the_console()


@pytest.fixture
def world() -> World:
    return World("sm2")


@pytest.fixture
def settings(environment: dict[str, str], tmp_path: Path, world: World) -> Settings:
    return read({**environment, **ca_settings(tmp_path, world)})


@pytest.fixture
def filled(session: Session, portal: Portal, world: World) -> None:
    """Each sealed column has a cell, made by the very service that makes it."""
    made = signers(session, portal, world)
    desk = Desk.of(session, portal, made.operation.other)  # of a school that has no key yet
    desk.submit(desk.complete())
    school, person, clerk = made.operation.school, made.person, made.actor
    draft = made.drafts(school, 1, 2)[0]
    group_submission.submit(
        session, portal, clerk, draft, made.signed(made.message(draft)), portal.clock()
    )
    accounts.set_email(session, portal, CONSOLE, person, "li@example.cn")
    second_factor.start(session, portal, person)
    session.add(Restriction(document_index=portal.vault.index("person", f"18:{resident_id(1)}")))
    reindexing.keep_restricted_documents(session)
    who = session.scalars(sa.select(Student).where(Student.student_no == "202400001")).one()
    personal_changes.correct(
        session,
        portal,
        clerk,
        who,
        name="学生一",
        mobile="13800000001",
        enrolment=Enrolment.ENROLLED,
        reason="本人要求",
    )
    made.operation.other.opened_on = None
    approved(session, replace(portal, trust=None), made.operation.other)  # on paper
    checked(session, portal, school, [student(4)])


def test_a_cell_opens_in_its_own_row_alone(session: Session, portal: Portal, filled: None) -> None:
    for column in keys.COLUMNS:
        query = sa.select(column.bound_to, column.cells).where(column.cells.is_not(None))
        cells = session.execute(query).all()
        assert cells, f"nothing in {column.cells}"
        for bound_to, sealed in cells:
            portal.ring.unseal(sealed, column.place(bound_to))
            for elsewhere in (b"", b"another row", bytes(32)):
                with pytest.raises(Unreadable):
                    portal.ring.unseal(sealed, column.place(elsewhere))


@pytest.mark.parametrize("name", ["document_sealed", "mobile_sealed"])
def test_what_was_put_into_anothers_row_is_shown_of_nobody(
    session: Session, portal: Portal, name: str
) -> None:
    """Who can write to the database gives no student another's number unseen."""
    school = running(session).school
    enrol(session, portal, school, 1, 2)
    clerk = Actor.operator_at_the_console(school.id)
    first, second = session.scalars(sa.select(Student).order_by(Student.student_no))
    mine, theirs = getattr(first, name), getattr(second, name)
    setattr(first, name, theirs)
    setattr(second, name, mine)
    session.commit()
    for who in (first, second):
        with pytest.raises(Unreadable):
            personal.held(session, portal, who)
        if name == "document_sealed":
            with pytest.raises(Unreadable):
                disclosure.of_student(session, portal, clerk, who, "核对")
    job = applications.request_generation(session, portal, CONSOLE, school, portal.today())
    (key,) = applications.generate(session, portal, job)["created"]
    with pytest.raises(Unreadable):
        exporting.export(session, portal.vault, clerk, session.get_one(GroupApplication, key))
