"""What each office sees, receives, returns and refuses."""

from __future__ import annotations

from datetime import date
from itertools import product

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from school_portal.domain.levels import TrainingLevel
from school_portal.domain.specialty_evaluation import EvaluationState
from school_portal.domain.workflow import Role
from school_portal.models import AuditEvent, SpecialtyEvaluation, StateChange
from school_portal.services import receiving
from school_portal.services.access import Actor, NotFound, Refused
from school_portal.services.portal import Portal
from school_portal.services.receiving import Unlocked
from tests.conftest import FakeClock
from tests.factories.evaluation import officer, submitted
from tests.factories.operation import Operation, running

SEES = {
    Role.TEACHING_OFFICE: {TrainingLevel.SECONDARY},
    Role.VOCATIONAL_DIVISION: {TrainingLevel.HIGHER},
    Role.CENTRE: set(TrainingLevel),
}
EVERYTHING = Unlocked(fields=frozenset({"leader"}))


@pytest.fixture
def operation(session: Session) -> Operation:
    made = running(session)
    session.commit()
    return made


def by(role: Role) -> Actor:
    return Actor(None, role, None, "user:0")


def test_each_office_sees_its_own(session: Session, operation: Operation) -> None:
    cases = {level: submitted(session, operation.school, level) for level in TrainingLevel}
    submitted(session, operation.school, state=EvaluationState.DRAFT)
    for role, (level, case) in product(Role, cases.items()):
        if level in SEES.get(role, set()):
            assert receiving.one(session, by(role), case.id) is case
        else:
            with pytest.raises(NotFound):
                receiving.one(session, by(role), case.id)
        found = session.scalars(receiving.visible(by(role))).all()
        assert {one.training_level for one in found} == SEES.get(role, set())


def test_a_draft_is_nobodys_even_when_withdrawn(session: Session, operation: Operation) -> None:
    made = submitted(session, operation.school, state=EvaluationState.DRAFT)
    made.state = EvaluationState.WITHDRAWN
    session.flush()
    assert session.scalars(receiving.visible(by(Role.CENTRE))).all() == []


MOVES = {
    "accept": receiving.accept,
    "return": lambda s, p, a, e: receiving.return_for_correction(s, p, a, e, EVERYTHING, "缺"),
    "refuse": lambda s, p, a, e: receiving.refuse(s, p, a, e, "不属于受理范围"),
}


@pytest.mark.parametrize("move", [*MOVES])
def test_only_the_office_of_the_level_decides(
    session: Session, portal: Portal, operation: Operation, move: str
) -> None:
    for level, role in product(TrainingLevel, Role):
        case = submitted(session, operation.school, level)
        if receiving.RECEIVERS[level] is role:
            MOVES[move](session, portal, by(role), case)
            assert case.state is not EvaluationState.SUBMITTED
        else:
            with pytest.raises((NotFound, Refused)):
                MOVES[move](session, portal, by(role), case)
            assert case.state is EvaluationState.SUBMITTED


@pytest.mark.parametrize("move", [*MOVES])
def test_only_what_was_submitted_is_decided(
    session: Session, portal: Portal, operation: Operation, move: str
) -> None:
    for state in set(EvaluationState) - {EvaluationState.SUBMITTED}:
        case = submitted(session, operation.school, state=state)
        with pytest.raises(Refused, match=state.label):
            MOVES[move](session, portal, by(Role.TEACHING_OFFICE), case)


def test_a_return_names_what_unlocks_and_until_when(
    session: Session, portal: Portal, operation: Operation
) -> None:
    case, office = (
        submitted(session, operation.school),
        officer(session, portal, Role.TEACHING_OFFICE),
    )
    line = case.lines[0]
    unlocked = Unlocked(
        frozenset({"leader"}), frozenset({line.id}), frozenset({line.specialty_id}), add_lines=True
    )
    receiving.return_for_correction(session, portal, office, case, unlocked, " 等级有误 ")
    session.commit()
    assert case.state is EvaluationState.RETURNED
    assert case.unlocked == {
        "fields": ["leader"],
        "lines": [line.id],
        "programmes": [line.specialty_id],
        "add_lines": True,
    }
    # Thursday 15 October 2026 and ten working days: no holiday, no make-up day among them.
    assert case.correction_until == date(2026, 10, 29)
    change = session.query(StateChange).one()
    assert (change.user_id, change.role, change.reason) == (
        office.user_id,
        Role.TEACHING_OFFICE,
        "等级有误",
    )
    [event] = session.scalars(sa.select(AuditEvent).where(AuditEvent.subject == case.subject))
    assert "等级有误" not in str(event.detail)


@pytest.mark.parametrize(
    "unlocked, reason, until, said",
    [
        (Unlocked(), "缺材料", None, "至少勾选一处"),
        (EVERYTHING, "  ", None, "写明理由"),
        (EVERYTHING, "缺材料", date(2026, 10, 14), "早于今天"),
    ],
)
def test_a_return_that_says_too_little_is_refused(
    session: Session,
    portal: Portal,
    operation: Operation,
    unlocked: Unlocked,
    reason: str,
    until: date | None,
    said: str,
) -> None:
    case = submitted(session, operation.school)
    with pytest.raises(Refused, match=said):
        receiving.return_for_correction(
            session, portal, by(Role.TEACHING_OFFICE), case, unlocked, reason, until
        )


@pytest.mark.parametrize(
    "foreign",
    [
        Unlocked(fields=frozenset({"state"})),
        Unlocked(lines=frozenset({0})),
        Unlocked(programmes=frozenset({0})),
    ],
)
def test_what_is_no_part_of_the_application_cannot_be_unlocked(
    session: Session, portal: Portal, operation: Operation, foreign: Unlocked
) -> None:
    case = submitted(session, operation.school)
    with pytest.raises(NotFound):
        receiving.return_for_correction(
            session, portal, by(Role.TEACHING_OFFICE), case, foreign, "缺材料"
        )


def test_a_date_of_today_is_kept(session: Session, portal: Portal, operation: Operation) -> None:
    case = submitted(session, operation.school)
    office, today = by(Role.TEACHING_OFFICE), date(2026, 10, 15)
    receiving.return_for_correction(session, portal, office, case, EVERYTHING, "缺材料", today)
    assert case.correction_until == today


def test_a_year_not_loaded_asks_for_the_date(
    session: Session, portal: Portal, operation: Operation, clock: FakeClock
) -> None:
    case, office = submitted(session, operation.school), by(Role.TEACHING_OFFICE)
    clock.now = clock.now.replace(month=12, day=28)
    assert receiving.default_date(session, portal.today()) is None
    with pytest.raises(Refused, match="请直接填写日期"):
        receiving.return_for_correction(session, portal, office, case, EVERYTHING, "缺材料")
    typed = date(2027, 1, 12)
    receiving.return_for_correction(session, portal, office, case, EVERYTHING, "缺材料", typed)
    assert case.correction_until == typed


def test_of_two_officers_one_wins_and_the_other_is_told(
    session: Session, portal: Portal, operation: Operation
) -> None:
    case = submitted(session, operation.school)
    office, key = officer(session, portal, Role.TEACHING_OFFICE), case.id
    session.commit()
    others = sessionmaker(session.get_bind(), expire_on_commit=False)
    with others() as late:
        seen = late.get_one(SpecialtyEvaluation, key)
        late.commit()  # the page was shown; the decision comes with a later request
        receiving.accept(session, portal, office, case)
        session.commit()
        with pytest.raises(Refused, match="张老师已于 2026-10-15 10:00 进行“受理”"):
            receiving.refuse(late, portal, office, seen, "不属于受理范围")
        late.rollback()
    assert case.state is EvaluationState.ACCEPTED
    assert session.query(StateChange).count() == 1


def test_the_list_by_state_school_and_number(
    session: Session, portal: Portal, operation: Operation
) -> None:
    office = by(Role.TEACHING_OFFICE)
    early, other = submitted(session, operation.school), submitted(session, operation.other)
    due = submitted(session, operation.school, state=EvaluationState.RETURNED)
    due.correction_until = date(2026, 10, 20)
    session.flush()

    def found(state: EvaluationState | None = None, text: str = "") -> list[SpecialtyEvaluation]:
        query = receiving.matching(office, state, text)
        listed = list(receiving.page(session, query, limit=10, offset=0))
        assert receiving.count(session, query) == len(listed)
        return listed

    assert found() == [due, early, other]
    assert found(EvaluationState.SUBMITTED) == [early, other]
    assert found(text="商贸") == [other]
    assert found(text=early.number or "") == [early]
    assert found(text="%") == []
    assert receiving.counts(session, office) == {
        EvaluationState.SUBMITTED: 2,
        EvaluationState.RETURNED: 1,
    }
