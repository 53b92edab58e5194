"""One of everything that has an address, in several states, and who may find it there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from io import BytesIO
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.levels import TrainingLevel
from school_portal.domain.specialty_evaluation import RECEIVERS, EvaluationAction
from school_portal.domain.workflow import Role
from school_portal.models import (
    AccountOpening,
    CrlOverride,
    EvaluationLine,
    Expert,
    ExtraWindow,
    GroupApplication,
    Job,
    Notice,
    PanelMember,
    Passkey,
    Permission,
    PermissionRequest,
    School,
    SignIn,
    Specialty,
    SpecialtyEvaluation,
    Student,
    User,
)
from school_portal.security import receipt_key
from school_portal.services import applications, rosters, submissions
from school_portal.services.access import Actor
from school_portal.services.portal import Portal
from tests.factories.accounts import asked_for, drafted, requested
from tests.factories.evaluation import officer, stages
from tests.factories.evaluations import NURSE_5, Desk, carry_more
from tests.factories.operation import DRINKS, Operation, authorise, running, student, workbook
from tests.factories.signing import kept, waiting_key
from tests.factories.visitor import user, work

OWN, STRANGER = "zhang", "li"
OFFICES = {level: role.value for level, role in RECEIVERS.items()}
CENTRE = Role.CENTRE.value
DECIDED = (
    None,
    EvaluationAction.ACCEPT,
    EvaluationAction.RETURN,
    EvaluationAction.REFUSE,
    EvaluationAction.WITHDRAW,
)


@dataclass(frozen=True)
class Thing:
    """What stands in an address, and the usernames of those who find it there."""

    where: Mapping[str, int | str]
    found_by: frozenset[str]


def thing(*found_by: str, **where: int | str) -> Thing:
    return Thing(where, frozenset(found_by))


def everything(session: Session, portal: Portal) -> list[Thing]:
    """The people (username: the role's, `zhang` and `li` of two schools, `e0` to `e4`), the things.

    Each thing is in the state that the services left it in.
    """
    made = running(session)
    carry_more(session, made)
    user(session, portal, OWN, school=made.school)
    user(session, portal, STRANGER, school=made.other)
    stages(session, portal, made.school)
    for role in Role:
        if role is not Role.SCHOOL:
            officer(session, portal, role)
    other = Desk.of(session, portal, made.other)
    other.submit(other.complete())
    _more_evaluations(session, portal, made.school)
    found = [
        *_evaluations(session),
        *_of_school(session, portal, made),
        *_settings(session, portal, made),
        *_panels(session),
        *_signed(session, portal),
    ]
    for person in session.query(User).all():
        notice = Notice(user_id=person.id, token="one", at=portal.clock(), title="示例")
        session.add(notice)
        session.flush()
        found.append(thing(person.username, notice_id=notice.id))
        found += _of_person(session, portal, person)
    session.commit()
    return found


def _signed(session: Session, portal: Portal) -> Iterator[Thing]:
    """A receipt of one paper of each kind, of the school OWN; a hash of another paper's is none."""
    receipt_key.ensure(session, portal.ring)
    person = session.query(User).filter_by(username=OWN).one()
    kinds: list[tuple[Any, list[str]]] = [
        (SpecialtyEvaluation, [OFFICES[TrainingLevel.SECONDARY], CENTRE]),
        (AccountOpening, [CENTRE]),
        (PermissionRequest, [CENTRE]),
        (GroupApplication, []),
    ]
    for model, readers in kinds:
        own = sa.select(model).where(model.school_id == person.school_id, model.number.is_not(None))
        paper = session.scalars(own.order_by(model.id).limit(1)).one()
        digest = kept(session, portal, paper.uid, person).digest
        yield thing(OWN, *readers, uid=paper.uid, digest=digest)
        yield thing(uid=paper.uid, digest="0" * 64)


def _of_person(session: Session, portal: Portal, person: User) -> Iterator[Thing]:
    """A sign-in of theirs, and the account that administrators keep."""
    kept = SignIn(
        token_hash=sha256(person.username.encode()).digest(),
        user_id=person.id,
        role=person.role,
        created_at=portal.clock(),
        last_seen_at=portal.clock(),
    )
    session.add(kept)
    session.flush()
    yield thing(person.username, sign_in_id=kept.id)
    yield thing(Role.ADMIN, user_id=person.id)
    if person.username == "e1":  # who has one signs in with it, and the others do with a password
        passkey = Passkey(
            user_id=person.id,
            credential_id=b"e1",
            public_key=b"",
            sign_count=0,
            transports="",
            name="示例",
            created_at=portal.clock(),
        )
        session.add(passkey)
        session.flush()
        yield thing(person.username, passkey_id=passkey.id)


def _more_evaluations(session: Session, portal: Portal, school: School) -> None:
    """A draft, and for each office one that it has, took, gave back, refused, and one withdrawn."""
    desk = Desk.of(session, portal, school)
    for office in RECEIVERS:
        for action in DECIDED:
            case = desk.complete()
            desk.submit(case)
            if action is EvaluationAction.WITHDRAW:
                submissions.withdraw(session, portal, desk.actor, case, "填写有误")
            elif action is not None:
                desk.decide(case, action)
            case.training_level = office
    desk.complete()


def _evaluations(session: Session) -> Iterator[Thing]:
    """Each school's; and parts of one under the address of another, which nobody finds."""
    cases = session.query(SpecialtyEvaluation).all()
    for case in cases:
        owner = OWN if case.school.name == "示例中等职业学校" else STRANGER
        handed_in = case.arrived_at is not None
        seen_by = [owner, *([OFFICES[case.training_level], CENTRE] if handed_in else [])]
        yield thing(*seen_by, evaluation_id=case.id)
        for name, parts, readers in (
            ("line_id", [one.id for one in case.lines], [owner]),
            ("programme_id", [one.id for one in case.programmes], seen_by),
            ("sequence", [one.sequence for one in case.submissions], [owner]),
            ("member_id", [one.id for one in (case.panel.members if case.panel else [])], [CENTRE]),
        ):
            for part in parts:
                yield thing(*readers, **{"evaluation_id": case.id, name: part})
                elsewhere = cases[0] if case is not cases[0] else cases[1]
                if name != "sequence":
                    yield thing(**{"evaluation_id": elsewhere.id, name: part})


def _of_school(session: Session, portal: Portal, made: Operation) -> Iterator[Thing]:
    """What the school alone has, and what it handed in to the centre."""
    clerk = Actor.operator_at_the_console(made.school.id)
    file = workbook([student(1)])
    roster = rosters.upload(session, portal, clerk, made.school.id, file, "名册.xlsx")
    session.commit()
    work(session, portal)
    yield thing(OWN, roster_id=roster.id)
    rosters.confirm(session, portal, clerk, roster, accept_valid=False)
    session.commit()
    work(session, portal)
    applications.request_generation(session, portal, clerk, made.school, portal.today())
    session.commit()
    work(session, portal)
    asked = asked_for(session, portal, made.school, NURSE_5)
    waiting = rosters.upload(session, portal, clerk, made.school.id, BytesIO(b"-"), "名册.xlsx")
    yield thing(OWN, roster_id=waiting.id)
    yield from (thing(OWN, application_id=one.id) for one in session.query(GroupApplication))
    yield from (thing(OWN, job_id=one.id) for one in session.query(Job))
    yield thing(OWN, CENTRE, request_id=asked.id)
    for line in session.query(Permission).filter_by(school_id=made.school.id):
        yield thing(OWN, permission_id=line.id)
    for specialty in session.query(Specialty).filter_by(school_id=made.school.id):
        yield thing(OWN, specialty_id=specialty.id)
    opening = requested(session, portal, made.school).id
    yield thing(OWN, CENTRE, opening_id=opening)
    yield from (
        thing(CENTRE, opening_id=opening, column=column)
        for column in ("key_id", "operator_document")
    )
    yield from (thing(OWN, student_id=one.id) for one in session.query(Student))
    yield thing(STRANGER, opening_id=drafted(session, portal, made.other).id)


def _settings(session: Session, portal: Portal, made: Operation) -> Iterator[Thing]:
    """What the offices keep."""
    yield thing(Role.BUREAU, CENTRE, Role.ADMIN, name="panel_size")
    yield from (thing(CENTRE, Role.ADMIN, kind=kind) for kind in ("csv", "xlsx"))
    administrator = session.query(User).filter_by(role=Role.ADMIN).one().id
    override = CrlOverride(
        granted_at=portal.clock(),
        until=portal.clock() + timedelta(hours=1),
        reason="示例",
        granted_by_id=administrator,
    )
    session.add(override)
    session.flush()
    yield thing(Role.ADMIN, override_id=override.id)
    yield from (
        thing(Role.ADMIN, user_id=administrator, action=one) for one in ("enable", "end-sign-ins")
    )
    yield thing(CENTRE, school_id=made.school.id)
    key = waiting_key(session, made.school, portal.clock()).id
    yield thing(CENTRE, school_id=made.school.id, key_id=key)
    yield thing(school_id=made.other.id, key_id=key)
    yield from (
        thing(CENTRE, school_id=made.school.id, action=action)
        for action in ("suspend", "resume", "close")
    )
    for role in RECEIVERS.values():
        window = ExtraWindow(
            role=role,
            starts_on=portal.today(),
            ends_on=portal.today(),
            reason="示例",
            opened_at=portal.clock(),
        )
        session.add(window)
        session.flush()
        yield thing(role.value, window_id=window.id)
    college = Specialty(
        school_id=made.other.id,
        code="540201",
        name="餐饮管理",
        training_level=TrainingLevel.HIGHER,
    )
    session.add(college)
    session.flush()
    authorise(session, made.other, college, made.social, level=3, **DRINKS)
    session.flush()
    for line in session.query(EvaluationLine).where(EvaluationLine.took_effect()):
        yield thing(OFFICES[line.specialty.training_level], CENTRE, line_id=line.id)
    pending = session.query(EvaluationLine).where(~EvaluationLine.took_effect()).first()
    assert pending is not None
    yield thing(line_id=pending.id)


def _panels(session: Session) -> Iterator[Thing]:
    """The experts and their places."""
    yield from (thing(CENTRE, expert_id=one.id) for one in session.query(Expert))
    for member in session.query(PanelMember):
        expert = member.expert.user.username
        yield thing(expert, member_id=member.id)
        for programme in member.panel.evaluation.programmes:
            readers = [expert] if member.recused_at is None else []
            yield thing(*readers, member_id=member.id, programme_id=programme.id)


def nowhere(where: Mapping[str, int | str]) -> dict[str, int | str]:
    """The same address with nothing there."""
    return {name: 987654 if isinstance(value, int) else "none" for name, value in where.items()}
