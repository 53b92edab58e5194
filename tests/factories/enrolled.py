"""Students of a school, saved as a roster saves them."""

from __future__ import annotations

from sqlalchemy.orm import Session

from school_portal.models import Roster, School
from school_portal.services import rosters, saving
from school_portal.services.access import Actor
from school_portal.services.portal import Portal
from tests.factories.operation import student, workbook

CONSOLE = Actor.operator_at_the_console()


def enrol(session: Session, portal: Portal, school: School, *numbers: int) -> Roster:
    """The students of those numbers, each from its row; the roster that named them."""
    rows = workbook([student(number) for number in numbers])
    roster = rosters.upload(session, portal, CONSOLE, school.id, rows, "名册.xlsx")
    session.commit()
    for _ in rosters.read(session, portal, roster.id):
        session.commit()
    rosters.confirm(session, portal, CONSOLE, roster, accept_valid=False)
    saving.save(session, portal, roster.id)
    session.commit()
    return roster
