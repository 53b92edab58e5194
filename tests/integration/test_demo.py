"""What `make run` shows, whatever the day."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from school_portal.demo.__main__ import SAMPLE, TO_TRY, prepare
from school_portal.demo.operation import COLLEGE, SECONDARY
from school_portal.demo.people import EXPERTS, PEOPLE
from school_portal.domain.levels import TrainingLevel
from school_portal.domain.specialty_evaluation import EvaluationState
from school_portal.domain.workflow import Role
from school_portal.models import Notice, Permission, SpecialtyEvaluation, User
from school_portal.services import checking, rosters, worklist
from school_portal.services.access import Actor, school_of
from school_portal.services.portal import Portal
from school_portal.services.windows import window_at
from tests.conftest import FakeClock


@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 10, 1, 0, 5, tzinfo=UTC),
        datetime(2026, 10, 31, 15, 0, tzinfo=UTC),
        datetime(2026, 11, 21, 2, 0, tzinfo=UTC),
        datetime(2027, 2, 3, 2, 0, tzinfo=UTC),  # its working days are not loaded
        datetime(2027, 4, 2, 2, 0, tzinfo=UTC),
    ],
)
def test_the_demonstration_shows_every_state_and_gives_everybody_work(
    session: Session, portal: Portal, clock: FakeClock, tmp_path: Path, now: datetime
) -> None:
    clock.now = now
    folder = tmp_path / "demo"
    passwords = prepare(session, portal, folder)
    assert prepare(session, portal, folder) == passwords

    states = {state for (state,) in session.query(SpecialtyEvaluation.state)}
    assert states == set(EvaluationState)
    assert session.query(Permission).filter(Permission.request_id.is_not(None)).count() == 2
    assert session.query(Notice).filter(Notice.at > now).count() == 0
    for level in TrainingLevel:
        assert window_at(session, now, level, None).open
    assert passwords.keys() == {*PEOPLE, *EXPERTS}
    busy = {
        user.role
        for user in session.query(User).all()
        if worklist.items(session, portal, Actor.of(user))
    }
    assert busy >= {Role.TEACHING_OFFICE, Role.VOCATIONAL_DIVISION, Role.CENTRE, Role.EXPERT}
    assert Role.SCHOOL in busy


def test_the_rosters_to_try_are_of_different_people(
    session: Session, portal: Portal, tmp_path: Path
) -> None:
    folder = tmp_path / "demo"
    prepare(session, portal, folder)
    school, college = school_of(session, SECONDARY.uscc), school_of(session, COLLEGE.uscc)
    actor = Actor.operator_at_the_console(school.id)
    with (folder / SAMPLE).open("rb") as stream:
        roster = rosters.upload(session, portal, actor, school.id, stream, SAMPLE)
    for _ in rosters.read(session, portal, roster.id):
        session.commit()
    rosters.confirm(session, portal, actor, roster, accept_valid=True)
    rosters.save(session, portal, roster.id)
    assert (roster.created, roster.rejected) == (55, 5)
    with (folder / TO_TRY).open("rb") as stream:
        document = checking.check_document(
            session, portal, college.id, stream, TO_TRY, today=portal.today()
        )
    assert [one["code"] for one in document["issues"]] == ["cell.mobile"]
