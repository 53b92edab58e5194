"""Handing in: the window by the arrival stamp, corrections, the receipt, two at once."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from threading import Barrier, Thread
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from school_portal.domain.specialty_evaluation import EvaluationAction, EvaluationState
from school_portal.domain.windows import TZ
from school_portal.domain.workflow import Role
from school_portal.extensions import db
from school_portal.models import (
    EvaluationSubmission,
    ExtraWindow,
    SpecialtyEvaluation,
    StateChange,
)
from school_portal.security.canonical import canonical
from school_portal.services import submissions
from school_portal.services.access import NotFound, Refused
from school_portal.services.portal import Portal
from tests.conftest import FakeClock
from tests.factories.evaluations import NURSE_5, PDF, Desk, carry_more
from tests.factories.operation import Operation, running

LAST = datetime(2026, 4, 30, 23, 59, 59, 999999, TZ)
FIRST_AFTER = datetime(2026, 5, 1, tzinfo=TZ)
MARCH = datetime(2026, 3, 15, 2, 0, tzinfo=UTC)


@pytest.fixture
def operation(session: Session) -> Operation:
    made = running(session)
    carry_more(session, made)
    return made


@pytest.fixture
def desk(session: Session, portal: Portal, operation: Operation) -> Desk:
    return Desk.of(session, portal, operation.school)


@pytest.fixture
def in_march(clock: FakeClock, desk: Desk) -> SpecialtyEvaluation:
    """Written in March, to be handed in when the test says."""
    clock.now = MARCH
    return desk.complete()


def returned(desk: Desk, until: date, **unlocked: object) -> SpecialtyEvaluation:
    evaluation = desk.complete()
    desk.submit(evaluation)
    evaluation.correction_until = until
    evaluation.unlocked = unlocked
    desk.decide(evaluation, EvaluationAction.RETURN)
    return evaluation


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "UTC", "America/Los_Angeles"])
def test_the_last_instant_of_the_window_whatever_the_zone(
    desk: Desk, in_march: SpecialtyEvaluation, zone: str
) -> None:
    submission = desk.submit(in_march, LAST.astimezone(ZoneInfo(zone)))
    assert in_march.state is EvaluationState.SUBMITTED
    assert submission.arrived_at == in_march.arrived_at == LAST
    assert in_march.number == "PG2026000001"


@pytest.mark.parametrize(
    "instant, opens, closes",
    [
        (FIRST_AFTER, "2026-10-01", "2026-10-31"),
        (LAST.replace(month=3, day=31), "2026-04-01", "2026-04-30"),
        (datetime(2026, 11, 1, tzinfo=TZ), "2027-04-01", "2027-04-30"),
    ],
)
def test_outside_the_window_the_next_one_and_the_clause_are_told(
    desk: Desk, in_march: SpecialtyEvaluation, instant: datetime, opens: str, closes: str
) -> None:
    with pytest.raises(Refused) as refusal:
        desk.submit(in_march, instant)
    for said in (opens, f"{closes} 24:00", "沪职鉴中心〔2021〕17号 一1", "草稿已保留"):
        assert said in str(refusal.value)
    assert (in_march.state, in_march.number) == (EvaluationState.DRAFT, None)


def test_what_was_stamped_in_time_stays_in_time(
    desk: Desk, in_march: SpecialtyEvaluation, clock: FakeClock
) -> None:
    clock.now = FIRST_AFTER + timedelta(minutes=3)
    assert desk.submit(in_march, LAST).arrived_at == LAST


def test_a_clock_set_back_does_not_reopen_the_window(
    desk: Desk, in_march: SpecialtyEvaluation, clock: FakeClock
) -> None:
    clock.now = FIRST_AFTER
    desk.save(in_march, address="上海市示例路 2 号")
    clock.now = LAST
    with pytest.raises(Refused, match="不在专业评估受理期"):
        desk.submit(in_march)


def test_a_clock_set_back_does_not_reorder(desk: Desk, clock: FakeClock) -> None:
    evaluation = returned(desk, date(2026, 11, 10), fields=["address"])
    first = evaluation.submissions[0].arrived_at
    clock.now = first - timedelta(hours=1)
    desk.save(evaluation, address="上海市示例路 2 号")
    second = desk.submit(evaluation)
    assert second.arrived_at == first
    assert [one.sequence for one in evaluation.submissions] == [1, 2]


@pytest.mark.parametrize(
    "role, for_school, is_open",
    [
        (Role.TEACHING_OFFICE, None, True),
        (Role.TEACHING_OFFICE, "own", True),
        (Role.TEACHING_OFFICE, "other", False),
        (Role.VOCATIONAL_DIVISION, None, False),
    ],
)
def test_an_extra_window_of_the_office(
    session: Session, operation: Operation, desk: Desk, in_march: SpecialtyEvaluation,
    role: Role, for_school: str | None, is_open: bool,
) -> None:  # fmt: skip
    schools = {None: None, "own": operation.school.id, "other": operation.other.id}
    session.add(
        ExtraWindow(
            role=role, school_id=schools[for_school], starts_on=date(2026, 5, 1),
            ends_on=date(2026, 5, 8), reason="示例", opened_at=MARCH,
        )
    )  # fmt: skip
    if is_open:
        desk.submit(in_march, LAST.replace(month=5, day=8))
    with pytest.raises(Refused):
        desk.submit(in_march, LAST.replace(month=5, day=8) + timedelta(microseconds=1))
    assert (in_march.number is not None) is is_open


def test_a_correction_is_in_time_to_the_end_of_its_day_though_the_window_is_closed(
    desk: Desk, clock: FakeClock
) -> None:
    evaluation = returned(desk, date(2026, 11, 6), fields=["address"])
    clock.now = datetime(2026, 11, 6, 23, 59, 59, 999999, TZ)
    desk.save(evaluation, address="上海市示例路 2 号")
    desk.submit(evaluation)
    assert evaluation.state is EvaluationState.SUBMITTED
    assert (evaluation.correction_until, evaluation.unlocked) == (None, None)
    assert evaluation.number == "PG2026000001"


def test_a_correction_after_its_day_is_refused(desk: Desk) -> None:
    evaluation = returned(desk, date(2026, 11, 6), fields=["address"])
    with pytest.raises(Refused, match=r"补正期限为 2026-11-06 24:00.*本平台规则"):
        desk.submit(evaluation, datetime(2026, 11, 7, tzinfo=TZ))
    assert evaluation.state is EvaluationState.RETURNED


def test_the_receipts_hash_is_of_the_frozen_copy(desk: Desk, portal: Portal) -> None:
    evaluation = desk.complete()
    submission = desk.submit(evaluation)
    content = submissions.frozen(portal.vault, submission)
    assert sha256(content).hexdigest() == submission.digest
    assert b"13800000001" not in submission.content_sealed
    document = json.loads(content)
    assert content == canonical(document)
    assert document["number"] == evaluation.number
    assert document["arrived_at"] == "2026-10-15T10:00:00.000000+08:00"
    assert document["programmes"][0]["sha256"] == sha256(PDF).hexdigest()
    evaluation.address = "别处"
    assert submissions.frozen(portal.vault, submission) == content


def test_what_is_not_complete_is_refused_and_takes_no_number(desk: Desk) -> None:
    evaluation = desk.draft()
    with pytest.raises(Refused, match=r"还有 7 处须改正.*负责人.*17号 一1"):
        desk.submit(evaluation)
    assert desk.submit(desk.complete()).evaluation_id == evaluation.id
    assert evaluation.number == "PG2026000001"


def test_what_was_changed_after_the_review_is_not_handed_in(desk: Desk) -> None:
    evaluation = desk.complete()
    reviewed = evaluation.version
    desk.save(evaluation, address="上海市示例路 2 号")
    with pytest.raises(Refused, match="重新核对"):
        submissions.submit(
            desk.session, desk.portal, desk.actor, evaluation, desk.portal.clock(), reviewed
        )


def test_another_schools_application_is_none(
    session: Session, portal: Portal, operation: Operation, desk: Desk
) -> None:
    evaluation = desk.complete()
    stranger = Desk.of(session, portal, operation.other)
    for tried in (stranger.submit, stranger.save, stranger.add, stranger.attach):
        with pytest.raises(NotFound):
            tried(evaluation)


def test_withdrawing_needs_its_reason_and_something_handed_in(desk: Desk) -> None:
    evaluation = desk.complete()
    with pytest.raises(Refused, match="当前状态为“草稿”"):
        submissions.withdraw(desk.session, desk.portal, desk.actor, evaluation, "填错")
    desk.submit(evaluation)
    with pytest.raises(Refused, match="理由"):
        submissions.withdraw(desk.session, desk.portal, desk.actor, evaluation, " ")
    submissions.withdraw(desk.session, desk.portal, desk.actor, evaluation, "专业停招")
    assert evaluation.state is EvaluationState.WITHDRAWN
    assert desk.draft().id != evaluation.id


def test_what_a_resubmission_changed(desk: Desk, portal: Portal) -> None:
    evaluation = returned(
        desk, date(2026, 11, 6), fields=["address"], add_lines=True,
        programmes=[desk.school.specialties[0].id],
    )  # fmt: skip
    desk.save(evaluation, address="上海市示例路 2 号")
    desk.add(evaluation, NURSE_5)
    desk.attach(evaluation, PDF + b"2", "补充.pdf")
    desk.submit(evaluation)
    before, after = (submissions.content_of(portal.vault, one) for one in evaluation.submissions)
    told = [
        (one.kind, bool(one.before), bool(one.after))
        for one in submissions.differences(before, after)
    ]
    assert told == [("field", True, True), ("line", False, True), ("programme", False, True)]
    assert submissions.differences(before, before) == []


def test_two_at_once_one_wins_and_no_number_is_lost(
    app: Flask, session: Session, desk: Desk, portal: Portal
) -> None:
    evaluation_id = desk.complete().id
    session.commit()
    start, said = Barrier(2), []

    def hand_in() -> None:
        with app.app_context():
            found = db.session.get_one(SpecialtyEvaluation, evaluation_id)
            db.session.rollback()
            start.wait()
            try:
                submissions.submit(db.session(), portal, desk.actor, found, portal.clock())
                db.session.commit()
                said.append("")
            except Refused as refusal:
                said.append(str(refusal))
            db.session.remove()

    threads = [Thread(target=hand_in) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lost = max(said)
    assert min(said) == ""
    assert "职业院校已于 2026-10-15 10:00 进行“提交”" in lost
    assert session.scalar(sa.select(sa.func.count()).select_from(EvaluationSubmission)) == 1
    assert session.scalar(sa.select(sa.func.count()).select_from(StateChange)) == 1
    following = desk.complete()
    desk.submit(following)
    assert following.number == "PG2026000002"
