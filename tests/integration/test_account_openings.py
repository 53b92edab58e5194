"""Annex 2 from draft to approval, and what becomes of the account (rulebook 6)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.account import (
    OPENING_WORKFLOW,
    AccountState,
    OpeningAction,
    OpeningKind,
    OpeningState,
)
from school_portal.domain.levels import Level
from school_portal.domain.workflow import Role
from school_portal.models import AccountOpening, AuditEvent, School, StateChange
from school_portal.services import account_openings, applications, school_accounts, sign_ins
from school_portal.services.access import Actor, Refused
from school_portal.services.opening_check import personal, problems
from school_portal.services.portal import Portal
from tests.conftest import FakeClock
from tests.factories import accounts
from tests.factories.accounts import (
    CENTRE,
    DOCUMENT,
    DRINKS_4,
    KEY,
    MOBILE,
    acting,
    approved,
    drafted,
    entry,
    received,
    requested,
)
from tests.factories.operation import Operation, resident_id, running, student
from tests.factories.visitor import user
from tests.integration.test_rosters import saved

TODAY = date(2026, 10, 15)
OTHER_KEY = "SF@SAMPLE-KEY-0002"

Act = Callable[[Session, Portal, Actor, AccountOpening], None]
ACTS: dict[OpeningAction, Act] = {
    OpeningAction.REQUEST: lambda s, p, a, o: account_openings.request(s, p, a, o, p.clock()),
    OpeningAction.RECEIVE_ORIGINAL: lambda s, p, a, o: account_openings.receive_original(
        s, p, a, o, TODAY
    ),
    OpeningAction.APPROVE: account_openings.approve,
    OpeningAction.RETURN: lambda s, p, a, o: account_openings.return_(s, p, a, o, "印章不清。"),
    OpeningAction.WITHDRAW: account_openings.withdraw,
}


@pytest.fixture
def operation(session: Session) -> Operation:
    """The school has no account yet; the other one has."""
    made = running(session)
    made.school.opened_on = None
    session.commit()
    return made


def in_state(
    session: Session, portal: Portal, school: School, state: OpeningState
) -> AccountOpening:
    made = {
        OpeningState.DRAFT: drafted,
        OpeningState.REQUESTED: requested,
        OpeningState.ORIGINAL_RECEIVED: received,
        OpeningState.APPROVED: approved,
    }
    opening = made.get(state, requested)(session, portal, school)
    if state is OpeningState.RETURNED:
        account_openings.return_(session, portal, CENTRE, opening, "印章不清。")
    elif state is OpeningState.WITHDRAWN:
        account_openings.withdraw(session, portal, acting(Role.SCHOOL), opening)
    session.commit()
    return opening


@pytest.mark.parametrize("state", OpeningState)
def test_each_role_does_what_the_table_lists_and_nothing_else(
    session: Session, portal: Portal, operation: Operation, state: OpeningState
) -> None:
    opening = in_state(session, portal, operation.school, state)
    done = 0
    for action in OpeningAction:
        for role in Role:
            target = OPENING_WORKFLOW.table.get((state, action, role))
            before = opening.version
            with session.begin_nested() as attempt:
                if target is None:
                    with pytest.raises(Refused):
                        ACTS[action](session, portal, acting(role), opening)
                else:
                    ACTS[action](session, portal, acting(role), opening)
                    assert (opening.state, opening.version) == (target, before + 1)
                    done += 1
                attempt.rollback()
            session.refresh(opening)
            assert opening.state is state
    assert done == len([1 for (source, _, _) in OPENING_WORKFLOW.table if source is state])


def test_an_opening_from_draft_to_the_first_plan(
    session: Session, portal: Portal, operation: Operation
) -> None:
    school = operation.school
    saved(session, portal, school, [student(1)])
    assert codes(session, portal, school) == {"ACCOUNT"}
    opening = approved(session, portal, school)
    assert opening.number == "KH2026000001"
    assert opening.kind is OpeningKind.OPENING
    assert school.key_id_index == portal.vault.index("key-id", KEY)
    assert school.key_id_sealed is not None
    kept = portal.vault.unseal("schools", "key_id", school.uscc.encode(), school.key_id_sealed)
    assert kept == KEY
    assert school_accounts.state_of(session, school, TODAY) is AccountState.APPROVED
    assert codes(session, portal, school) == {"ACCOUNT"}
    school_accounts.open_account(session, portal, CENTRE, school)
    assert (school.opened_on, school.stopped_on) == (TODAY, None)
    assert codes(session, portal, school) == set()


def codes(session: Session, portal: Portal, school: School, on: date | None = None) -> set[str]:
    """The rules that keep the school's students out of the day's plan."""
    found = applications.plan(session, portal, school, on or portal.today())
    return {reason.code for _, reasons in found.excluded for reason in reasons}


def test_suspended_fails_that_day_and_resumed_passes(
    session: Session, portal: Portal, operation: Operation, clock: FakeClock
) -> None:
    school = operation.other
    saved(session, portal, school, [student(1)])
    assert school_accounts.state_of(session, school, TODAY) is AccountState.OPEN
    school_accounts.suspend(session, portal, CENTRE, school, "材料不实。")
    assert codes(session, portal, school) == {"ACCOUNT"}
    assert codes(session, portal, school, TODAY - timedelta(days=1)) == set()
    clock.now += timedelta(days=3)
    school_accounts.resume(session, portal, CENTRE, school, "已改正。")
    assert codes(session, portal, school) == set()
    school_accounts.suspend(session, portal, CENTRE, school, "又一次。")
    clock.now += timedelta(days=3)
    school_accounts.close(session, portal, CENTRE, school, "学校撤并。")
    assert school.stopped_on == TODAY + timedelta(days=3)
    assert school_accounts.state_of(session, school, portal.today()) is AccountState.CLOSED
    assert account_openings.kind_for(AccountState.CLOSED) is OpeningKind.OPENING


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.CENTRE])
def test_only_the_centre_moves_an_account(
    session: Session, portal: Portal, operation: Operation, role: Role
) -> None:
    somebody, school = acting(role), operation.other
    for act in (school_accounts.suspend, school_accounts.resume, school_accounts.close):
        with pytest.raises(Refused):
            act(session, portal, somebody, school, "理由。")
    assert school_accounts.state_of(session, school, TODAY) is AccountState.OPEN
    assert school.stopped_on is None


PROBLEMS: list[tuple[dict[str, Any], str, str]] = [
    ({"leader": " "}, "leader", "请填写“负责人（分管领导）”。"),
    ({"handled_on": None}, "handled_on", "请填写“经办日期”。"),
    ({"handled_on": date(2026, 10, 16)}, "handled_on", "晚于今天"),
    ({"leader_mobile": "12345"}, "leader_mobile", "不是 11 位手机号码"),
    ({"contact_mobile": ""}, "contact_mobile", "请填写“联系人联系方式（手机）”。"),
    ({"operator_document": resident_id(7)[:-1] + "?"}, "operator_document", "18 位居民身份证号"),
    ({"operator_document": "E12345678"}, "operator_document", "18 位居民身份证号"),
    (
        {"operator_document": DOCUMENT[:-1] + ("0" if DOCUMENT[-1] != "0" else "1")},
        "operator_document",
        "校验位不对",
    ),
    (
        {"operator_document": resident_id(1, born=date(2026, 10, 16))},
        "operator_document",
        "18 位居民身份证号",
    ),
    ({"key_id": "SHORT"}, "key_id", "8 至 128 个"),
    ({"key_id": "SF@ KEY 0001"}, "key_id", "8 至 128 个"),
    ({"lines": ()}, "lines", "请至少选择一项"),
]


@pytest.mark.parametrize("changes, field, text", PROBLEMS)
def test_what_is_wrong_is_told_at_its_field_and_not_handed_in(
    session: Session,
    portal: Portal,
    operation: Operation,
    changes: dict[str, Any],
    field: str,
    text: str,
) -> None:
    opening = drafted(session, portal, operation.school, **changes)
    (found,) = problems(session, portal, opening)
    assert found.field == field
    assert text in found.text
    assert not any(value in found.text for value in (MOBILE, DOCUMENT[:17], KEY))
    with pytest.raises(Refused):
        account_openings.request(session, portal, acting(Role.SCHOOL), opening, portal.clock())
    assert opening.number is None


def test_lines_above_the_cap_or_carried_by_nobody_are_refused(
    session: Session, portal: Portal, operation: Operation
) -> None:
    above = accounts.Project(DRINKS_4.code, DRINKS_4.occupation, "", Level.SENIOR)
    opening = drafted(session, portal, operation.school, lines=(above,))
    texts = [found.text for found in problems(session, portal, opening)]
    assert [("最高等级四级/中级工" in text, "没有备案有效" in text) for text in texts] == [
        (True, False),
        (False, True),
    ]


def test_mobiles_and_the_document_are_kept_sealed_and_shown_masked(
    session: Session, portal: Portal, operation: Operation
) -> None:
    opening = requested(session, portal, operation.school, leader_mobile="+86 138-0000-0001")
    given = personal(portal.vault, opening)
    assert given.leader_mobile == MOBILE
    assert given.masked.leader_mobile == "138****0001"
    assert given.masked.operator_document == f"310104********{DOCUMENT[-4:]}"
    assert given.masked.key_id == "********0001"
    row = session.execute(sa.text("SELECT * FROM account_openings")).one()
    kept = repr([bytes(one) if isinstance(one, memoryview) else one for one in row])
    assert "李副校长" in kept
    assert not any(secret in kept for secret in (MOBILE, DOCUMENT, KEY))


def test_nothing_personal_is_left_in_the_trail(
    session: Session, portal: Portal, operation: Operation
) -> None:
    approved(session, portal, operation.school)
    school_accounts.open_account(session, portal, CENTRE, operation.school)
    session.commit()
    events = session.execute(
        sa.select(AuditEvent.action, AuditEvent.actor, AuditEvent.subject, AuditEvent.detail)
    ).all()
    changes = session.execute(sa.select(StateChange.reason, StateChange.detail)).all()
    told = json.dumps([list(row) for row in [*events, *changes]])
    assert "account-opening.approve" in told
    assert "account.open" in told
    for secret in (MOBILE, "13800000002", DOCUMENT, KEY):
        assert secret not in told


def test_a_key_of_another_account_is_refused(
    session: Session, portal: Portal, operation: Operation
) -> None:
    operation.other.key_id_index = portal.vault.index("key-id", KEY)
    opening = drafted(session, portal, operation.school)
    assert [found.field for found in problems(session, portal, opening)] == ["key_id"]


@pytest.mark.parametrize(
    "state, taken",
    [
        (OpeningState.DRAFT, False),
        (OpeningState.REQUESTED, True),
        (OpeningState.ORIGINAL_RECEIVED, True),
        (OpeningState.RETURNED, False),
        (OpeningState.WITHDRAWN, False),
    ],
)
def test_a_key_asked_for_by_another_school_is_refused(
    session: Session, portal: Portal, operation: Operation, state: OpeningState, taken: bool
) -> None:
    in_state(session, portal, operation.other, state)
    opening = drafted(session, portal, operation.school)
    found = [one.field for one in problems(session, portal, opening)]
    assert found == (["key_id"] if taken else [])


def test_a_key_taken_meanwhile_is_refused_at_the_approval(
    session: Session, portal: Portal, operation: Operation
) -> None:
    opening = received(session, portal, operation.school)
    operation.other.key_id_index = portal.vault.index("key-id", KEY)
    session.commit()
    with pytest.raises(Refused, match="另一个账户"):
        account_openings.approve(session, portal, CENTRE, opening)
    session.rollback()
    assert operation.school.key_id_index is None
    assert opening.state is OpeningState.ORIGINAL_RECEIVED


def test_the_old_key_stops_when_the_change_is_approved(
    session: Session, portal: Portal, operation: Operation
) -> None:
    school = operation.school
    approved(session, portal, school)
    school_accounts.open_account(session, portal, CENTRE, school)
    opening = received(session, portal, school, key_id=OTHER_KEY, lines=())
    assert opening.kind is OpeningKind.CHANGE
    assert school.key_id_index == portal.vault.index("key-id", KEY)
    person = user(session, portal, "zhang", school=school)
    stranger = user(session, portal, "li", school=operation.other)
    by_key, _ = sign_ins.begin(session, person, portal.clock(), by_key=True)
    by_password, _ = sign_ins.begin(session, person, portal.clock())
    elsewhere, _ = sign_ins.begin(session, stranger, portal.clock(), by_key=True)
    account_openings.approve(session, portal, CENTRE, opening)
    assert sign_ins.find(session, by_key, portal.clock()) is None
    for token in (by_password, elsewhere):
        assert sign_ins.find(session, token, portal.clock()) is not None
    assert school.key_id_index == portal.vault.index("key-id", OTHER_KEY)
    assert school_accounts.state_of(session, school, TODAY) is AccountState.OPEN
    assert school.opened_on == TODAY


@pytest.mark.parametrize(
    "changes, fields",
    [
        ({}, ["key_id"]),
        ({"key_id": OTHER_KEY}, []),
        ({"operator": "赵老师", "operator_document": resident_id(8)}, []),
    ],
)
def test_a_change_of_neither_key_nor_operator_is_none(
    session: Session,
    portal: Portal,
    operation: Operation,
    changes: dict[str, Any],
    fields: list[str],
) -> None:
    approved(session, portal, operation.school)
    opening = drafted(session, portal, operation.school, **changes)
    assert [found.field for found in problems(session, portal, opening)] == fields


def test_a_change_does_not_outlive_the_account(
    session: Session, portal: Portal, operation: Operation
) -> None:
    opening = received(session, portal, operation.other, lines=())
    school_accounts.close(session, portal, CENTRE, operation.other, "学校撤并。")
    session.commit()
    with pytest.raises(Refused, match="已不适用"):
        account_openings.approve(session, portal, CENTRE, opening)


@pytest.mark.parametrize("days, text", [(1, "晚于今天"), (-1, "早于提交申请")])
def test_the_originals_day_lies_between_the_request_and_today(
    session: Session, portal: Portal, operation: Operation, days: int, text: str
) -> None:
    opening = requested(session, portal, operation.school)
    with pytest.raises(Refused, match=text):
        account_openings.receive_original(
            session, portal, CENTRE, opening, TODAY + timedelta(days=days)
        )


def test_what_is_returned_is_unlocked_keeps_its_number_and_needs_another_original(
    session: Session, portal: Portal, operation: Operation
) -> None:
    opening = received(session, portal, operation.school)
    with pytest.raises(Refused, match="不能修改"):
        account_openings.save(session, portal, opening, entry())
    account_openings.return_(session, portal, CENTRE, opening, "印章不清。")
    assert opening.original_received_on is None
    account_openings.save(
        session, portal, opening, entry(leader="陈副校长", operator_document=None)
    )
    account_openings.request(session, portal, acting(Role.SCHOOL), opening, portal.clock())
    assert (opening.number, opening.leader) == ("KH2026000001", "陈副校长")
    assert personal(portal.vault, opening).operator_document == DOCUMENT


def test_one_application_at_a_time(session: Session, portal: Portal, operation: Operation) -> None:
    opening = requested(session, portal, operation.school)
    with pytest.raises(Refused, match="KH2026000001"):
        drafted(session, portal, operation.school)
    account_openings.withdraw(session, portal, acting(Role.SCHOOL), opening)
    assert drafted(session, portal, operation.school).id != opening.id
