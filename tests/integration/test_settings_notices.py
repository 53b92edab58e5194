"""Notices with the change they tell of, reminders, mail, and what waits for each role."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from batch.run import execute
from batch.sweeper import queue_mail
from school_portal.config import MailServer
from school_portal.domain.account import (
    ACCOUNT_WORKFLOW,
    OPENING_WORKFLOW,
    OpeningAction,
    OpeningKind,
    OpeningState,
)
from school_portal.domain.facts import Node
from school_portal.domain.permission import PERMISSION_WORKFLOW, PermissionAction, PermissionState
from school_portal.domain.roster import Route
from school_portal.domain.school_key import KEY_WORKFLOW
from school_portal.domain.specialty_evaluation import (
    EVALUATION_WORKFLOW,
    LINE_WORKFLOW,
    EvaluationState,
    LineAction,
)
from school_portal.domain.specialty_evaluation import EvaluationAction as A
from school_portal.domain.workflow import Role, Workflow
from school_portal.models import (
    AccountOpening,
    EvaluationLine,
    Job,
    JobState,
    Notice,
    Permission,
    PermissionRequest,
    User,
)
from school_portal.services import (
    accounts,
    mail,
    notices,
    reminders,
    sealing,
    transitions,
    worklist,
)
from school_portal.services.access import Actor, NotFound, Refused
from school_portal.services.notice_texts import WORDINGS
from school_portal.services.portal import Portal
from tests.conftest import NOW, FakeClock
from tests.factories.mail_server import MailSink, mail_sink
from tests.factories.operation import DRINKS, Operation, running
from tests.factories.settings import evaluation, panel
from tests.factories.visitor import Visitor, user

S = EvaluationState
DAY = timedelta(days=1)
FLOWS: dict[str, Workflow[Any, Any]] = {
    "evaluation": EVALUATION_WORKFLOW,
    "evaluation-line": LINE_WORKFLOW,
    "account-opening": OPENING_WORKFLOW,
    "permission": PERMISSION_WORKFLOW,
}


@pytest.fixture
def operation(session: Session) -> Operation:
    return running(session)


@pytest.fixture
def people(session: Session, portal: Portal, operation: Operation) -> dict[str, User]:
    """Two operators of the school, one of another, and one person of each office."""
    made = {
        "zhang": user(session, portal, "zhang", school=operation.school),
        "zhao": user(session, portal, "zhao", school=operation.school),
        "li": user(session, portal, "li", school=operation.other),
    }
    for role in (Role.TEACHING_OFFICE, Role.VOCATIONAL_DIVISION, Role.CENTRE):
        made[role.value] = user(session, portal, role.value, role=role)
    for name in ("expert1", "expert2", "expert3"):
        made[name] = user(session, portal, name, role=Role.EXPERT)
    return made


def move(
    session: Session,
    portal: Portal,
    case: Any,
    action: Any,
    role: Role,
    who: User | None = None,
    reason: str = "",
) -> None:
    actor = Actor.of(who) if who else None
    transitions.apply(
        session, FLOWS[case.KIND], case, action, role, actor=actor, at=portal.clock(), reason=reason
    )


def told(session: Session) -> list[tuple[str, str, str]]:
    """Who was told what, and where it leads."""
    found = session.query(Notice).join(User).order_by(Notice.id)
    return [(one.user.username, one.title, one.path) for one in found]


# Notices


def test_every_wording_belongs_to_an_action_of_its_workflow() -> None:
    flows: dict[str, Workflow[Any, Any]] = {
        **FLOWS,
        "account": ACCOUNT_WORKFLOW,
        "key": KEY_WORKFLOW,
    }
    known = {
        (kind, transition.action.value)
        for kind, flow in flows.items()
        for transition in flow.transitions
    }
    assert WORDINGS.keys() <= known


@pytest.mark.parametrize(
    "state, action, role, who, audience",
    [
        (S.DRAFT, A.SUBMIT, Role.SCHOOL, "zhang", ["teaching_office"]),
        (S.RETURNED, A.RESUBMIT, Role.SCHOOL, "zhang", ["teaching_office"]),
        (S.SUBMITTED, A.WITHDRAW, Role.SCHOOL, "zhang", ["teaching_office"]),
        (S.SUBMITTED, A.REFUSE, Role.TEACHING_OFFICE, "teaching_office", ["zhang", "zhao"]),
        (
            S.SUBMITTED, A.ACCEPT, Role.TEACHING_OFFICE, "teaching_office",
            ["zhang", "zhao", "centre"],
        ),
        (S.UNDER_PANEL_REVIEW, A.CONCLUDE, Role.SYSTEM, None, ["teaching_office", "centre"]),
        (S.OPINION_RECORDED, A.COMPLETE, Role.SYSTEM, None, ["zhang", "zhao"]),
    ],
)  # fmt: skip
def test_whom_a_change_of_an_evaluation_concerns(
    session: Session,
    portal: Portal,
    operation: Operation,
    people: dict[str, User],
    state: EvaluationState,
    action: A,
    role: Role,
    who: str | None,
    audience: list[str],
) -> None:
    case = evaluation(session, portal, operation.school, state, "PG2026000001")
    move(session, portal, case, action, role, people[who] if who else None, "材料不齐")
    assert [name for name, _, _ in told(session)] == audience
    for name, title, path in told(session):
        assert "PG2026000001" in title
        side = "school" if name in ("zhang", "zhao") else "office"
        assert path == f"/{side}/evaluations/{case.id}"


def test_a_return_says_why_what_to_do_and_until_when(
    session: Session, portal: Portal, operation: Operation, people: dict[str, User]
) -> None:
    case = evaluation(session, portal, operation.school, S.SUBMITTED, "PG2026000001")
    case.correction_until = date(2026, 10, 29)
    move(session, portal, case, A.RETURN, Role.TEACHING_OFFICE, people["teaching_office"], "缺附件")
    first = session.query(Notice).first()
    assert first is not None
    assert first.text.startswith("请按理由补正，在 2026-10-29 24:00 前重新提交")
    assert first.text.endswith("理由：缺附件")


def test_an_end_date_is_told_with_the_day(
    session: Session, portal: Portal, people: dict[str, User]
) -> None:
    line = session.query(EvaluationLine).first()
    assert line is not None
    sealing.set_end(
        session, portal, Actor.of(people["centre"]), line, date(2026, 12, 31), "职业分类有调整"
    )
    first = session.query(Notice).first()
    assert first is not None
    assert first.text.startswith("2026-12-31 24:00 起失效")


def test_what_is_rolled_back_tells_nobody(
    session: Session, portal: Portal, operation: Operation, people: dict[str, User]
) -> None:
    case = evaluation(session, portal, operation.school, S.DRAFT, "PG2026000001")
    session.commit()
    move(session, portal, case, A.SUBMIT, Role.SCHOOL)
    session.rollback()
    assert told(session) == []


def test_the_panels_experts_are_told_once_each(
    session: Session, portal: Portal, operation: Operation, people: dict[str, User]
) -> None:
    case = evaluation(session, portal, operation.school, S.ACCEPTED, "PG2026000001")
    made = panel(session, portal, case, [people["expert1"], people["expert2"]], date(2026, 11, 20))
    move(session, portal, case, A.CONVENE, Role.CENTRE, people["centre"])
    made.members[0].recused_at = portal.clock()
    panel_member = made.members[1].id
    reminders.remind(session, portal)
    to_experts = [one for one in told(session) if one[0].startswith("expert")]
    assert [one[0] for one in to_experts] == ["expert1", "expert2"]
    assert to_experts[1][2] == f"/expert/reviews/{panel_member}"


def test_openings_permissions_and_lines(
    session: Session, portal: Portal, operation: Operation, people: dict[str, User]
) -> None:
    school, centre = operation.school, people["centre"]
    opening = AccountOpening(
        school_id=school.id,
        kind=OpeningKind.OPENING,
        number="KH2026000001",
        created_at=NOW,
        saved_at=NOW,
    )
    permission = Permission(
        school_id=school.id, route=Route.QUALIFICATION, state=PermissionState.REQUESTED, **DRINKS,
        level=4,
    )  # fmt: skip
    session.add_all([opening, permission])
    session.flush()
    line = session.query(EvaluationLine).first()
    move(session, portal, opening, OpeningAction.REQUEST, Role.SCHOOL, people["zhang"])
    move(session, portal, opening, OpeningAction.RECEIVE_ORIGINAL, Role.CENTRE, centre)
    move(session, portal, permission, PermissionAction.GRANT, Role.CENTRE, centre)
    move(session, portal, line, LineAction.REVOKE, Role.CENTRE, centre, "评估有误")
    office = f"/centre/openings/{opening.id}"
    own = f"/school/account/openings/{opening.id}"
    assert [(name, path) for name, _, path in told(session) if name != "zhao"] == [
        ("centre", office),
        ("zhang", own),
        ("zhang", "/school/account"),
        ("zhang", "/school/specialties"),
    ]
    assert "示例中等职业学校提交开户申请 KH2026000001" in {title for _, title, _ in told(session)}


def test_one_reads_ones_own(
    session: Session, portal: Portal, operation: Operation, people: dict[str, User]
) -> None:
    case = evaluation(session, portal, operation.school, S.SUBMITTED, "PG2026000001")
    move(session, portal, case, A.ACCEPT, Role.TEACHING_OFFICE, people["teaching_office"])
    mine, theirs = Actor.of(people["zhang"]), Actor.of(people["zhao"])
    [first] = notices.page_of(session, mine, limit=10, offset=0)
    with pytest.raises(NotFound):
        notices.read(session, portal, theirs, first.id)
    notices.read(session, portal, mine, first.id)
    assert notices.count(session, mine, unread=True) == 0
    assert notices.count(session, theirs, unread=True) == notices.count(session, mine) == 1
    notices.read(session, portal, theirs, None)
    assert notices.count(session, theirs, unread=True) == 0


# Reminders


@pytest.mark.parametrize(
    "left, known_before, expected",
    [
        (8, 30, None), (7, 30, 7), (5, 30, 7), (3, 30, 3), (2, 30, 3), (1, 30, 1), (0, 30, 1),
        (-1, 30, None), (5, 5, None), (7, 7, None), (3, 7, 3), (6, 8, 7), (1, 1, None),
    ],
)  # fmt: skip
def test_the_latest_reminder_alone_is_given(
    left: int, known_before: int, expected: int | None
) -> None:
    due = date(2026, 10, 29)
    today, since = due - left * DAY, due - known_before * DAY
    assert reminders.step(today, since, due) == expected


def test_a_correction_is_reminded_of_three_times(
    session: Session,
    portal: Portal,
    clock: FakeClock,
    operation: Operation,
    people: dict[str, User],
) -> None:
    case = evaluation(session, portal, operation.school, S.SUBMITTED, "PG2026000001")
    case.correction_until = date(2026, 10, 29)
    move(session, portal, case, A.RETURN, Role.TEACHING_OFFICE)
    given = []
    for day in range(17):
        clock.now = NOW + day * DAY
        reminders.remind(session, portal)
        reminders.remind(session, portal)
        given.append(session.query(Notice).filter_by(user_id=people["zhang"].id).count() - 1)
    assert [day for day in range(1, 17) if given[day] > given[day - 1]] == [7, 11, 13]
    assert {name for name, title, _ in told(session) if "将至" in title} == {"zhang", "zhao"}


def test_a_downtime_is_caught_up_with_one_reminder(
    session: Session,
    portal: Portal,
    clock: FakeClock,
    operation: Operation,
    people: dict[str, User],
) -> None:
    evaluation(session, portal, operation.school, S.DRAFT, "")
    case = evaluation(session, portal, operation.school, S.UNDER_PANEL_REVIEW, "PG2026000001")
    panel(session, portal, case, [people["expert1"]], date(2026, 10, 31))
    clock.now = datetime(2026, 10, 29, 2, tzinfo=UTC)
    reminders.remind(session, portal)
    assert [name for name, title, _ in told(session) if "将" in title] == [
        "expert1", "zhang", "zhao",
    ]  # fmt: skip
    clock.now = datetime(2026, 11, 1, 2, tzinfo=UTC)
    before = session.query(Notice).count()
    reminders.remind(session, portal)
    assert session.query(Notice).count() == before


# Mail


@pytest.fixture
def sink() -> Iterator[MailSink]:
    with mail_sink() as server:
        yield server


@pytest.fixture
def mailing(portal: Portal, sink: MailSink) -> Portal:
    """The portal, with the sink as its mail server."""
    server = MailServer("127.0.0.1", sink.port, False, "", "", "portal@example.cn")
    return replace(portal, settings=replace(portal.settings, mail=server))


@pytest.fixture
def notified(
    session: Session, portal: Portal, operation: Operation, people: dict[str, User]
) -> Notice:
    """A committed notice of somebody with an address, and one of somebody without."""
    actor = Actor.of(people["zhang"])
    accounts.set_email(session, portal, actor, people["zhang"], "zhang@example.cn")
    case = evaluation(session, portal, operation.school, S.SUBMITTED, "PG2026000001")
    move(session, portal, case, A.ACCEPT, Role.TEACHING_OFFICE)
    session.commit()
    return session.query(Notice).filter_by(user_id=people["zhang"].id).one()


def sweep(session: Session, portal: Portal) -> list[JobState]:
    """One round: what waits is queued and done by a worker; how the mail's jobs stand."""
    session.commit()
    queue_mail(portal)
    for job in session.query(Job).filter_by(state=JobState.QUEUED).all():
        execute(portal, job.id, "test")
    session.commit()
    session.expire_all()
    return [job.state for job in session.query(Job)]


def test_a_notice_is_mailed_once(
    session: Session, mailing: Portal, sink: MailSink, notified: Notice
) -> None:
    assert sweep(session, mailing) == [JobState.DONE]
    assert sweep(session, mailing) == [JobState.DONE]
    [message] = sink.received
    assert message["To"] == "zhang@example.cn"
    body = message.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert notified.path in body.decode()
    assert (notified.mailed_at, notified.mail_error) == (mailing.clock(), None)


def test_without_a_mail_server_nothing_is_queued(
    session: Session, portal: Portal, notified: Notice
) -> None:
    assert sweep(session, portal) == []


def test_a_server_that_is_away_is_tried_again_later(
    session: Session, mailing: Portal, clock: FakeClock, sink: MailSink, notified: Notice
) -> None:
    away = replace(mailing.settings, mail=replace(mailing.settings.mail, port=1))  # type: ignore[type-var]
    sweep(session, replace(mailing, settings=away))
    assert (notified.mailed_at, notified.mail_error) == (None, "mail.unreachable")
    assert len(sweep(session, mailing)) == 1  # not yet
    clock.now = NOW + timedelta(minutes=1)
    assert sweep(session, mailing) == [JobState.DONE] * 2
    assert (len(sink.received), notified.mail_attempts) == (1, 2)


def test_a_refused_address_is_not_tried_again_and_not_told(
    session: Session, mailing: Portal, clock: FakeClock, sink: MailSink, notified: Notice
) -> None:
    sink.refuse = "550 zhang@example.cn unknown"
    sweep(session, mailing)
    clock.now = NOW + DAY
    assert len(sweep(session, mailing)) == 1
    assert (notified.mail_error, notified.mail_attempts) == (
        "mail.recipient", len(mail.ATTEMPTS),
    )  # fmt: skip


def test_a_password_is_not_sent_in_clear(
    session: Session, mailing: Portal, sink: MailSink, notified: Notice
) -> None:
    known = replace(mailing.settings.mail, username="portal", password="secret")  # type: ignore[type-var]
    sweep(session, replace(mailing, settings=replace(mailing.settings, mail=known)))
    assert (sink.received, notified.mail_error) == ([], "mail.insecure")


def test_a_worker_that_died_while_sending_sends_nothing_twice(
    session: Session, mailing: Portal, sink: MailSink, notified: Notice
) -> None:
    steps = mail.send(session, mailing)
    next(steps)
    session.commit()  # the mark; then the worker dies
    assert sweep(session, mailing) == []
    assert (sink.received, notified.mail_error) == ([], mail.UNCERTAIN)


def test_old_news_is_not_mailed_when_mail_is_set_up_later(
    session: Session, mailing: Portal, clock: FakeClock, notified: Notice
) -> None:
    clock.now = NOW + mail.STALE
    assert sweep(session, mailing) == []


@pytest.mark.parametrize("attempts", [0, 3])
def test_mail_that_will_never_be_sent_does_not_wait(
    app: Flask,
    session: Session,
    portal: Portal,
    clock: FakeClock,
    notified: Notice,
    attempts: int,
) -> None:
    user(session, portal, "admin", role=Role.ADMIN)
    notified.mail_attempts = attempts
    session.commit()
    waits = "稍后重试" if attempts else "等待发送"
    for later, shown in ((mail.STALE - timedelta(seconds=1), True), (mail.STALE, False)):
        clock.now = NOW + later
        admin = Visitor(app)
        admin.sign_in("admin")
        page = admin.text("/settings/mail")
        assert (waits in page, "不再发送" not in page) == (shown, shown)


@pytest.mark.parametrize("harm", ["sealed", "library"])
def test_mail_that_cannot_be_made_is_told_and_the_next_goes_out(
    session: Session,
    mailing: Portal,
    sink: MailSink,
    notified: Notice,
    people: dict[str, User],
    harm: str,
) -> None:
    other = people["li"]
    accounts.set_email(session, mailing, Actor.of(other), other, "li@example.cn")
    if harm == "sealed":
        people["zhang"].email_sealed = b"\0" * 40
    else:
        people["zhang"].email_sealed = mailing.vault.seal(
            "users", "email", b"zhang", "zhang@example.cn\r\nBcc: x@example.cn"
        )
    following = Notice(
        user_id=other.id, token="next", at=NOW, title="二", text="二", path="/", mail_wanted=True
    )
    session.add(following)
    assert sweep(session, mailing) == [JobState.DONE]
    assert (notified.mail_error, notified.mailed_at) == ("mail.unmade", None)
    assert following.mail_error is None
    assert [message["To"] for message in sink.received] == ["li@example.cn"]


@pytest.mark.parametrize("address", ["zhang", "a@b", "a b@example.cn", "a@example.cn\nBcc: b@c.cn"])
def test_an_address_that_is_none_is_refused(
    session: Session, portal: Portal, people: dict[str, User], address: str
) -> None:
    with pytest.raises(Refused, match="邮箱"):
        accounts.set_email(session, portal, Actor.of(people["li"]), people["li"], address)


# Work lists


def work_of(session: Session, portal: Portal, person: User) -> list[tuple[str, str]]:
    return [(one.action, one.number) for one in worklist.items(session, portal, Actor.of(person))]


def test_each_role_finds_its_own_work(
    session: Session, portal: Portal, operation: Operation, people: dict[str, User]
) -> None:
    school = operation.school
    evaluation(session, portal, school, S.SUBMITTED, "PG1")
    evaluation(session, portal, school, S.ACCEPTED, "PG2")
    evaluation(session, portal, school, S.OPINION_RECORDED, "PG3")
    review = evaluation(session, portal, school, S.UNDER_PANEL_REVIEW, "PG4")
    experts = [people[name] for name in ("expert1", "expert2", "expert3")]
    made = panel(session, portal, review, experts)
    made.members[0].recused_at = made.members[1].finished_at = portal.clock()
    request = PermissionRequest(school_id=school.id, number="QX1", requested_at=NOW)
    session.add(request)
    session.flush()
    for level in (4, 5):
        session.add(
            Permission(
                school_id=school.id, request_id=request.id, route=Route.SKILL_LEVEL,
                node=Node.SOCIAL, state=PermissionState.REQUESTED, **DRINKS, level=level,
            )
        )  # fmt: skip
    for state, number in (("requested", "KH1"), ("original_received", "KH2")):
        session.add(
            AccountOpening(
                school_id=school.id, kind=OpeningKind.OPENING, state=OpeningState(state),
                number=number, created_at=NOW, saved_at=NOW,
            )
        )  # fmt: skip
    session.flush()
    assert set(work_of(session, portal, people["teaching_office"])) == {
        ("审查是否受理", "PG1"), ("盖章", "PG3"),
    }  # fmt: skip
    assert work_of(session, portal, people["vocational_division"]) == []
    assert set(work_of(session, portal, people["centre"])) == {
        ("组成专家组", "PG2"), ("盖章", "PG3"), ("更换回避的专家", "PG4"),
        ("登记收到原件", "KH1"), ("审批", "KH2"), ("审核 2 项", "QX1"),
    }  # fmt: skip
    assert [work_of(session, portal, one) for one in experts] == [[], [], [("写明评估意见", "PG4")]]
    assert work_of(session, portal, people["zhang"]) == [("交来签字盖章的原件", "KH1")]
    assert work_of(session, portal, people["li"]) == []


def test_the_most_urgent_is_first(
    session: Session,
    portal: Portal,
    clock: FakeClock,
    operation: Operation,
    people: dict[str, User],
) -> None:
    school = operation.school
    evaluation(session, portal, school, S.DRAFT, "")
    late = evaluation(session, portal, school, S.RETURNED, "PG1")
    late.correction_until = date(2026, 10, 20)
    far = evaluation(session, portal, school, S.RETURNED, "PG2")
    far.correction_until = date(2027, 1, 20)
    session.flush()
    found = worklist.items(session, portal, Actor.of(people["zhang"]))
    assert [one.number for one in found] == ["PG1", "", "PG2"]
    clock.now = datetime(2026, 11, 2, 2, tzinfo=UTC)  # the window is closed
    assert [one.number for one in worklist.items(session, portal, Actor.of(people["zhang"]))] == [
        "PG1", "PG2",
    ]  # fmt: skip
