"""Seals make lines take effect; an end date and a revocation end them, and the plan follows."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import product

import pytest
from sqlalchemy.orm import Session, sessionmaker

from school_portal.domain.levels import TrainingLevel
from school_portal.domain.specialty_evaluation import SEALS, EvaluationState, LineState
from school_portal.domain.workflow import Role
from school_portal.models import (
    EvaluationLine,
    Permission,
    SpecialtyEvaluation,
    StateChange,
    Student,
)
from school_portal.services import applications, sealing
from school_portal.services.access import Actor, NotFound, Refused
from school_portal.services.portal import Portal
from tests.conftest import FakeClock
from tests.factories.evaluation import expert, judge, officer, submitted, under_review
from tests.factories.operation import Operation, running, student
from tests.integration.test_rosters import saved

TODAY = date(2026, 10, 15)
CENTRE, TEACHING, DIVISION = Role.CENTRE, Role.TEACHING_OFFICE, Role.VOCATIONAL_DIVISION


@pytest.fixture
def operation(session: Session) -> Operation:
    made = running(session)
    session.commit()
    return made


def judged(
    session: Session,
    portal: Portal,
    operation: Operation,
    level: TrainingLevel = TrainingLevel.SECONDARY,
) -> SpecialtyEvaluation:
    """An application of which the panel approved the second line alone: 调饮师, level 4."""
    case = submitted(session, operation.school, level)
    pool = [expert(session, portal, f"e{number}") for number in range(3)]
    for member in list(under_review(session, portal, case, pool)):
        judge(session, portal, member, False, True)
    return case


@pytest.mark.parametrize(
    "level, order",
    [
        (TrainingLevel.SECONDARY, [CENTRE, TEACHING]),
        (TrainingLevel.SECONDARY, [TEACHING, CENTRE]),
        (TrainingLevel.HIGHER, [DIVISION]),
    ],
)
def test_lines_take_effect_with_the_last_seal(
    session: Session,
    portal: Portal,
    operation: Operation,
    clock: FakeClock,
    level: TrainingLevel,
    order: list[Role],
) -> None:
    case = judged(session, portal, operation, level)
    for place, role in enumerate(order, 1):
        assert [line.starts_on for line in case.lines] == [None, None]
        clock.now = clock.now.replace(day=15 + place)
        last = sealing.seal(session, portal, officer(session, portal, role), case)
        session.commit()
        assert last is (place == len(order))
    assert case.state is EvaluationState.SEALED
    assert [line.state for line in case.lines] == [LineState.REFUSED, LineState.APPROVED]
    assert [line.starts_on for line in case.lines] == [None, date(2026, 10, 15 + len(order))]
    assert [one.role for one in case.seals] == order


def test_nobody_else_seals(session: Session, portal: Portal, operation: Operation) -> None:
    for level, wrong in product(TrainingLevel, Role):
        if wrong in SEALS[level]:
            continue
        case = submitted(session, operation.school, level, EvaluationState.OPINION_RECORDED)
        with pytest.raises(Refused if wrong is CENTRE else NotFound):
            sealing.seal(session, portal, Actor(None, wrong, None, "user:0"), case)
        assert case.seals == []


def test_only_a_recorded_opinion_is_sealed(
    session: Session, portal: Portal, operation: Operation
) -> None:
    for state in set(EvaluationState) - {EvaluationState.OPINION_RECORDED}:
        case = submitted(session, operation.school, state=state)
        with pytest.raises(Refused, match=state.label):
            sealing.seal(session, portal, officer(session, portal, CENTRE), case)


def test_an_office_seals_once_and_the_second_officer_is_told(
    session: Session, portal: Portal, operation: Operation
) -> None:
    case = judged(session, portal, operation)
    key, centre = case.id, officer(session, portal, CENTRE)
    session.commit()
    others = sessionmaker(session.get_bind(), expire_on_commit=False)
    with others() as late:
        seen = late.get_one(SpecialtyEvaluation, key)
        late.commit()
        sealing.seal(session, portal, centre, case)
        session.commit()
        with pytest.raises(Refused, match="中心的张老师已于 2026-10-15 10:00 盖章"):
            sealing.seal(late, portal, centre, seen)
        late.rollback()
    assert len(case.seals) == 1


def reasons(session: Session, portal: Portal, operation: Operation, on: date) -> set[str]:
    """The codes that keep the school's students out of the plan of that day."""
    session.flush()
    plan = applications.plan_document(session, portal, operation.school, on)
    assert len(plan["excluded"]) + sum(len(one["students"]) for one in plan["applications"]) == 1
    return {reason["code"] for one in plan["excluded"] for reason in one["reasons"]}


@pytest.fixture
def planned(session: Session, portal: Portal, operation: Operation) -> SpecialtyEvaluation:
    """An application not yet sealed, and a student of its specialty who waits for it."""
    case = judged(session, portal, operation)
    saved(session, portal, operation.school, [student(1)])
    pupil = session.query(Student).one()
    pupil.specialty_id = case.lines[0].specialty_id
    session.commit()
    return case


def test_the_plan_follows_the_seals_the_end_and_the_revocation(
    session: Session,
    portal: Portal,
    operation: Operation,
    clock: FakeClock,
    planned: SpecialtyEvaluation,
) -> None:
    line = planned.lines[1]
    offices = {role: officer(session, portal, role) for role in (CENTRE, TEACHING)}
    assert session.query(Permission).count()
    assert reasons(session, portal, operation, TODAY) == {"EVALUATED"}
    sealing.seal(session, portal, offices[TEACHING], planned)
    assert reasons(session, portal, operation, TODAY) == {"EVALUATED"}
    sealing.seal(session, portal, offices[CENTRE], planned)
    assert reasons(session, portal, operation, TODAY) == set()
    sealing.set_end(session, portal, offices[TEACHING], line, date(2026, 10, 20), "标准更新")
    assert reasons(session, portal, operation, date(2026, 10, 20)) == set()
    assert reasons(session, portal, operation, date(2026, 10, 21)) == {"EVALUATED"}
    clock.now = clock.now.replace(day=18)
    sealing.revoke(session, portal, offices[CENTRE], line, "培养方案不再执行")
    session.commit()
    assert line.state is LineState.REVOKED
    assert reasons(session, portal, operation, date(2026, 10, 17)) == set()
    assert reasons(session, portal, operation, date(2026, 10, 18)) == {"EVALUATED"}
    told = session.query(StateChange).filter_by(subject=line.subject).all()
    assert [one.reason for one in told if one.reason] == ["标准更新", "培养方案不再执行"]
    with pytest.raises(Refused, match="已撤销"):
        sealing.revoke(session, portal, offices[CENTRE], line, "再撤一次")


def test_a_line_revoked_on_its_first_day_was_never_in_force_after(
    session: Session, portal: Portal, operation: Operation, planned: SpecialtyEvaluation
) -> None:
    for role in (CENTRE, TEACHING):
        sealing.seal(session, portal, officer(session, portal, role), planned)
    sealing.revoke(session, portal, officer(session, portal, CENTRE), planned.lines[1], "误盖")
    for day in (14, 15, 16):
        assert reasons(session, portal, operation, date(2026, 10, day)) == {"EVALUATED"}


def test_lines_from_the_opening_data_are_the_offices_of_their_level(
    session: Session, portal: Portal, operation: Operation
) -> None:
    line = session.query(EvaluationLine).join(EvaluationLine.specialty).first()
    assert line is not None
    for role in Role:
        actor = Actor(None, role, None, "user:0")
        listed = sealing.page_of_lines(session, sealing.visible_lines(actor), limit=9, offset=0)
        assert sealing.count_lines(session, sealing.visible_lines(actor)) == len(listed)
        if role in (CENTRE, TEACHING):
            assert sealing.line(session, actor, line.id) is line
            assert len(listed) == 2
            continue
        assert listed == []
        with pytest.raises(NotFound):
            sealing.line(session, actor, line.id)
        with pytest.raises(NotFound):
            sealing.revoke(session, portal, actor, line, "越权")
    found = sealing.visible_lines(Actor(None, TEACHING, None, "user:0"), "商贸")
    assert sealing.count_lines(session, found) == 1
    sealing.revoke(session, portal, officer(session, portal, TEACHING), line, "培养方案不再执行")
    assert line.ends_on == date(2026, 10, 14)


def test_what_is_not_in_force_yet_has_no_end(
    session: Session, portal: Portal, operation: Operation
) -> None:
    case, office = judged(session, portal, operation), officer(session, portal, TEACHING)
    with pytest.raises(NotFound):
        sealing.line(session, office, case.lines[1].id)
    with pytest.raises(Refused, match="还没有盖章生效"):
        sealing.revoke(session, portal, office, case.lines[1], "不再执行")
    for role in (CENTRE, TEACHING):
        sealing.seal(session, portal, officer(session, portal, role), case)
    with pytest.raises(Refused, match="早于今天"):
        sealing.set_end(session, portal, office, case.lines[1], date(2026, 10, 14), "不再执行")
    with pytest.raises(Refused, match="写明理由"):
        sealing.revoke(session, portal, office, case.lines[1], " ")


def test_a_line_expires_once_after_its_last_day(
    session: Session, portal: Portal, operation: Operation, clock: FakeClock
) -> None:
    line = session.query(EvaluationLine).filter_by(specialty=operation.school.specialties[0]).one()
    line.ends_on = TODAY
    sealing.expire(session, portal)
    assert line.state is LineState.APPROVED
    clock.now = datetime(2026, 10, 15, 16, tzinfo=UTC)  # 16 October, 0:00 in Shanghai
    for _ in range(2):
        sealing.expire(session, portal)
    assert line.state is LineState.EXPIRED
    (change,) = session.query(StateChange).filter_by(subject=line.subject)
    assert (change.role, change.action) == (Role.SYSTEM, "expire")
