"""Each act that somebody may have to answer for is an event: who did what to what."""

from __future__ import annotations

from io import BytesIO

import pyotp
import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from school_portal.domain.roster import Enrolment
from school_portal.domain.workflow import Role
from school_portal.models import (
    AuditEvent,
    GroupApplication,
    Invitation,
    JobState,
    SignIn,
    Student,
    User,
)
from school_portal.security import audit
from school_portal.services import (
    accounts,
    applications,
    audit_trail,
    experts,
    exporting,
    invitations,
    opening,
    panels,
    personal,
    personal_changes,
    rosters,
    saving,
    second_factor,
    sign_ins,
    training_programmes,
)
from school_portal.services.access import Actor
from school_portal.services.lockouts import Attempt
from school_portal.services.portal import Portal
from tests.conftest import NOW, FakeClock
from tests.factories import opening as opening_data
from tests.factories.accounts import asked_for
from tests.factories.enrolled import enrol
from tests.factories.evaluation import expert, judge, officer, submitted, under_review
from tests.factories.evaluations import NURSE_5, Desk, carry_more
from tests.factories.operation import Operation, running, student, workbook
from tests.factories.visitor import PASSWORD, Visitor, user, work
from tests.integration.test_passkeys import Holder

CONSOLE = Actor.operator_at_the_console()
WHY = "本人书面要求"
ADMIN = Actor(None, Role.ADMIN, None, "user:admin")
Event = tuple[str, str, str]


@pytest.fixture
def operation(session: Session) -> Operation:
    made = running(session)
    carry_more(session, made)
    session.commit()
    return made


@pytest.fixture
def clerk(session: Session, portal: Portal) -> User:
    return user(session, portal, "clerk", role=Role.CENTRE)


def since(session: Session, seq: int) -> list[Event]:
    """Actor, action and subject of what was recorded after that event; the chain is sound."""
    session.commit()
    assert list(audit.verify(session)) == []
    found = sa.select(AuditEvent).where(AuditEvent.seq > seq).order_by(AuditEvent.seq)
    return [(one.actor, one.action, one.subject) for one in session.scalars(found)]


def so_far(session: Session) -> int:
    session.commit()
    found = audit.length(session)
    session.commit()  # on SQLite whoever has begun keeps others from writing
    return found


def test_a_roster_and_what_is_generated_and_taken_out(
    session: Session, portal: Portal, operation: Operation
) -> None:
    school, seq = operation.school, so_far(session)
    roster = enrol(session, portal, school, 1)
    job = applications.request_generation(session, portal, CONSOLE, school, portal.today())
    (key,) = applications.generate(session, portal, job)["created"]
    exporting.export(session, portal.vault, CONSOLE, session.get_one(GroupApplication, key))
    applications.choose_body(session, CONSOLE, school.specialties[0], operation.social)
    assert since(session, seq) == [
        ("console", "roster.upload", f"roster:{roster.id}"),
        ("system", "roster.read", f"roster:{roster.id}"),
        ("system", "roster.finish", f"roster:{roster.id}"),
        ("console", "roster.confirm", f"roster:{roster.id}"),
        ("system", "roster.apply", f"roster:{roster.id}"),
        ("console", "application.generate", f"application:{key}"),
        ("console", "application.export", f"application:{key}"),
        ("console", "specialty.choose-body", f"specialty:{school.specialties[0].id}"),
    ]


def test_whole_numbers_that_leave_by_a_page(
    app: Flask, session: Session, portal: Portal, operation: Operation
) -> None:
    """Each download says who took it; one that is refused leaves nothing, for nothing left."""
    who = f"user:{user(session, portal, 'zhang', school=operation.school).id}"
    wrong = workbook([student(1, **{"手机号码*": "1"}), student(2)])
    zhang, pages = Visitor(app), []
    session.commit()
    zhang.sign_in("zhang")
    for content in (wrong, BytesIO(b"\x89PNG\r\n\x1a\n")):
        sent = zhang.post("/school/rosters/new", follow=False, file=(content, "名册.xlsx"))
        work(session, portal)
        pages.append(sent.location)
    zhang.post(f"{pages[0]}/confirm", accept_valid="yes", rows=1)
    work(session, portal)
    zhang.post("/school/applications/generate")
    work(session, portal)
    key = session.scalars(sa.select(GroupApplication.id)).one()
    seq = so_far(session)
    assert zhang.get(f"{pages[0]}/errors").data.startswith(b"PK")
    refused = zhang.get(f"{pages[1]}/errors")
    assert refused.status_code == 409
    assert "无法标注" in refused.get_data(as_text=True)
    assert zhang.get(f"/school/applications/{key}/workbook").data.startswith(b"PK")
    roster = pages[0].rpartition("/")[2]
    assert since(session, seq) == [
        (who, "roster.errors", f"roster:{roster}"),
        (who, "application.export", f"application:{key}"),
    ]


def test_an_evaluation_while_it_is_written_and_what_is_asked_for(
    session: Session, portal: Portal, operation: Operation
) -> None:
    desk, seq = Desk.of(session, portal, operation.school), so_far(session)
    case = desk.draft()
    programme = desk.attach(case)
    training_programmes.detach(session, portal, desk.actor, case, programme)
    asked = asked_for(session, portal, operation.school, NURSE_5)
    assert since(session, seq)[:4] == [
        (desk.actor.label, "evaluation.draft", case.subject),
        (desk.actor.label, "evaluation.attach", case.subject),
        (desk.actor.label, "evaluation.detach", case.subject),
        ("test:school", "permission.request", f"permission-request:{asked.id}"),
    ]


def test_each_experts_opinion(session: Session, portal: Portal, operation: Operation) -> None:
    case = submitted(session, operation.school)
    members = under_review(
        session, portal, case, [expert(session, portal, f"e{number}") for number in range(3)]
    )
    seq = so_far(session)
    judge(session, portal, members[0], True, False)
    who = f"user:{members[0].expert.user_id}"
    assert since(session, seq) == [(who, "opinion.finish", case.subject)]


def test_the_pool_of_experts_and_who_takes_whose_place(
    session: Session, portal: Portal, operation: Operation
) -> None:
    case, centre = submitted(session, operation.school), officer(session, portal, Role.CENTRE)
    members = under_review(
        session, portal, case, [expert(session, portal, f"e{number}") for number in range(3)]
    )
    seq, who, profile = (
        so_far(session),
        centre.label,
        experts.Profile("示例研究所", "", ("调饮师",)),
    )
    made = experts.add(
        session, portal, centre, profile, username="e3", name="李专家", password=PASSWORD
    )
    experts.edit(session, portal, centre, made, profile)
    panels.recuse(session, portal, Actor.of(members[0].expert.user), members[0], "曾共同编写教材")
    panels.replace(session, portal, centre, members[0], made.id)
    assert since(session, seq) == [
        (who, "user.create", f"user:{made.user_id}"),
        (who, "expert.add", f"expert:{made.id}"),
        (who, "expert.edit", f"expert:{made.id}"),
        (f"user:{members[0].expert.user_id}", "panel.recuse", case.subject),
        (who, "panel.replace", case.subject),
    ]


def test_what_a_school_does_with_a_persons_data(
    session: Session, portal: Portal, operation: Operation
) -> None:
    enrol(session, portal, operation.school, 1)
    clerk = Actor.operator_at_the_console(operation.school.id)
    who, seq = session.scalars(sa.select(Student)).one(), so_far(session)
    subject, change = f"student:{who.id}", {"name": "学生一", "mobile": "13800000001"}
    personal.export(session, portal, clerk, who, WHY)
    enrolled = Enrolment.ENROLLED
    personal_changes.correct(session, portal, clerk, who, **change, enrolment=enrolled, reason=WHY)
    personal_changes.delete(session, portal, clerk, who, WHY)
    assert since(session, seq) == [
        ("console", "person.export", subject),
        ("console", "person.correct", subject),
        ("console", "person.delete", subject),
    ]


def test_a_job_asked_for_again(session: Session, portal: Portal, operation: Operation) -> None:
    source = workbook([student(1)])
    roster = rosters.upload(session, portal, CONSOLE, operation.school.id, source, "名册.xlsx")
    job = rosters.active_job(session, roster)
    assert job is not None
    job.state = JobState.QUARANTINED
    seq = so_far(session)
    saving.resume(session, portal, CONSOLE, roster)
    audit_trail.verify(session, portal, CONSOLE)
    assert since(session, seq) == [
        ("console", "roster.resume", roster.subject),
        ("console", "audit.verify", "audit:chain"),
    ]


def test_data_that_is_taken_over(session: Session, portal: Portal) -> None:
    seq = so_far(session)
    source = opening_data.workbook(opening_data.running())
    assert opening.load(session, portal, CONSOLE, source).is_done
    assert since(session, seq) == [("console", "opening-data.load", "opening-data")]


def test_what_is_done_with_an_account(session: Session, portal: Portal, clerk: User) -> None:
    seq, who = so_far(session), f"user:{clerk.id}"
    accounts.set_roles(session, portal, ADMIN, clerk, [Role.BUREAU])
    accounts.set_email(session, portal, ADMIN, clerk, "li@example.cn")
    accounts.set_email(session, portal, ADMIN, clerk, "")
    accounts.end_sign_ins(session, portal, ADMIN, clerk)
    for active in (False, True):
        accounts.set_active(session, ADMIN, "clerk", portal.clock(), active=active)
    accounts.change_password(session, portal, clerk, PASSWORD, "窗前有一只小白鹭", None)
    assert since(session, seq) == [
        ("user:admin", "user.end-sign-ins", who),
        ("user:admin", "user.roles", who),
        ("user:admin", "user.email", who),
        ("user:admin", "user.email-remove", who),
        ("user:admin", "user.end-sign-ins", who),
        ("user:admin", "user.disable", who),
        ("user:admin", "user.enable", who),
        (who, "user.password", who),
    ]


def test_what_becomes_of_an_invitation(session: Session, portal: Portal) -> None:
    seq = so_far(session)
    token = invitations.invite(session, portal, ADMIN, username="li", roles=[Role.CENTRE])
    found = invitations.find(session, token, NOW)
    assert found is not None
    made = invitations.accept(session, portal, found, "李老师", "窗前有一只小白鹭")
    invitations.issue(session, portal, ADMIN, made)
    invitations.revoke(session, portal, ADMIN, made)
    who = f"user:{made.id}"
    assert session.scalars(sa.select(Invitation)).all() == []
    assert since(session, seq) == [
        ("user:admin", "user.create", who),
        ("user:admin", "user.invite", who),
        (who, "user.accept", who),
        ("user:admin", "user.invite", who),
        ("user:admin", "user.invite-revoke", who),
    ]


def test_every_change_of_a_second_factor(
    app: Flask, session: Session, portal: Portal, clerk: User, clock: FakeClock
) -> None:
    holder, seq, who = Holder(app, "clerk"), so_far(session), f"user:{clerk.id}"
    key = session.scalars(sa.select(SignIn.id)).one()
    second_factor.start(session, portal, clerk)
    secret, _ = second_factor.address(portal, clerk, "portal") or ("", "")
    second_factor.confirm(session, portal, clerk, pyotp.TOTP(secret).at(clock.now), key)
    codes = second_factor.renew_codes(session, portal, clerk)
    assert second_factor.fits(session, portal, clerk, codes[0])
    session.commit()
    holder.add()
    passkey = session.get_one(User, clerk.id).passkeys[0].id
    second_factor.remove_passkey(session, portal, clerk, passkey, key)
    second_factor.remove_totp(session, portal, clerk, key)
    second_factor.remove_all(session, portal, ADMIN, clerk)
    assert since(session, seq) == [
        (who, "second-factor.on", who),
        (who, "second-factor.codes", who),
        (who, "second-factor.recover", who),
        (who, "second-factor.passkey-on", who),
        (who, "second-factor.passkey-off", who),
        (who, "second-factor.off", who),
        ("user:admin", "second-factor.remove", who),
    ]


def test_ones_own_sign_ins(session: Session, portal: Portal, clerk: User) -> None:
    accounts.set_roles(session, portal, ADMIN, clerk, [Role.CENTRE, Role.BUREAU])
    opened = [sign_ins.sign_in(session, portal, Attempt("clerk"), PASSWORD) for _ in range(3)]
    here, there, _ = (one[1].id for one in opened if one)
    seq, who = so_far(session), f"user:{clerk.id}"
    acting = Actor.of(clerk)
    sign_ins.act_as(session, acting, here, Role.BUREAU, NOW)
    sign_ins.end(session, acting, there, NOW)
    sign_ins.end_others(session, acting, here, NOW)
    assert session.scalars(sa.select(SignIn.id)).all() == [here]
    assert since(session, seq) == [
        (who, "sign-in.role", who),
        (who, "sign-in.end", who),
        (who, "sign-in.end-others", who),
    ]
