"""Group applications signed and submitted: what is judged, what is refused, what is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from threading import Barrier, Thread

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from school_portal.config import Settings, read
from school_portal.demo import authority
from school_portal.domain.facts import BodyState
from school_portal.domain.group_application import ApplicationState
from school_portal.domain.policy import Policy
from school_portal.domain.roster import Enrolment
from school_portal.extensions import db
from school_portal.models import (
    AuditEvent,
    CaSignature,
    GroupApplication,
    SignedSubmission,
    Student,
    User,
)
from school_portal.security.ca.verification import CaRefused
from school_portal.services import group_submission, signed_papers
from school_portal.services.access import Actor, NotFound, Refused
from school_portal.services.group_submission import NoLongerEligible
from school_portal.services.portal import Portal
from school_portal.services.signed_contents import of_application
from school_portal.services.signed_papers import Signed
from school_portal.services.transitions import history
from tests.conftest import FakeClock
from tests.factories.authority import NOW, OID, World
from tests.factories.operation import resident_id
from tests.factories.signing import ORIGIN, Signers, ca_settings, signers


@pytest.fixture
def world(request: pytest.FixtureRequest) -> World:
    return World(getattr(request, "param", "sm2"))


@pytest.fixture
def settings(environment: dict[str, str], tmp_path: Path, world: World) -> Settings:
    return read({**environment, **ca_settings(tmp_path, world)})


@pytest.fixture
def desk(session: Session, portal: Portal, world: World) -> Signers:
    return signers(session, portal, world)


@pytest.fixture
def draft(desk: Signers) -> GroupApplication:
    return desk.drafts(desk.operation.school, 1, 2, 3)[0]


def submit(
    desk: Signers, draft: GroupApplication, signed: Signed | None = None
) -> SignedSubmission:
    signed = signed or desk.signed(desk.message(draft))
    group_submission.submit(
        desk.session, desk.portal, desk.actor, draft, signed, desk.portal.clock()
    )
    return signed_papers.of(desk.session, draft.uid)[-1]


def untouched(desk: Signers, draft: GroupApplication) -> bool:
    desk.session.rollback()
    kept = desk.session.scalar(sa.select(sa.func.count()).select_from(CaSignature))
    return draft.state is ApplicationState.DRAFT and kept == 0


@pytest.mark.parametrize("world", ["sm2", "rsa"], indirect=True)
def test_a_signed_application_is_submitted(desk: Signers, draft: GroupApplication) -> None:
    text = desk.message(draft)
    submission = submit(desk, draft, desk.signed(text))
    desk.session.commit()
    assert draft.state is ApplicationState.SUBMITTED
    assert text == f"school-portal/v1\n{ORIGIN}\nsubmit\n{submission.digest}"
    assert [one.action for one in history(desk.session, draft.subject)] == ["submit", "sign"]

    vault = desk.portal.vault
    sealed = submission.content_sealed
    kept = vault.unseal(*signed_papers.PLACE, submission.digest.encode(), sealed)
    assert sha256(kept.encode()).hexdigest() == submission.digest
    assert json.loads(kept)["number"] == draft.number
    assert submission.signature.purpose == "submit"
    assert submission.signature.message == text
    assert submission.signature.crl_this_update == NOW - timedelta(days=1)
    assert len(submission.issuers) == 2


def test_the_content_is_canonical_and_tells_no_number(
    desk: Signers, draft: GroupApplication
) -> None:
    made = of_application(desk.session, desk.portal.vault, draft)
    school, body = desk.operation.school, desk.operation.social
    documents = [one.pop("document") for one in made["students"]]
    assert made == {
        "version": 1,
        "kind": "group-application",
        "uid": draft.uid,
        "number": "TB2026000001",
        "revision": 0,
        "school": {"uscc": school.uscc, "name": school.name},
        "body": {"uscc": body.uscc, "name": body.name},
        "route": "skill_level",
        "project": {
            "occupation_code": "4-03-02-10",
            "occupation": "调饮师",
            "direction": "",
            "level": 4,
        },
        "students": [
            {"student_no": f"2024{number:05d}", "name": f"学生{number}"} for number in (1, 2, 3)
        ],
    }
    indexes = {one.hex() for one in desk.session.scalars(sa.select(Student.document_index))}
    guesses = {sha256(resident_id(number).encode()).hexdigest() for number in (1, 2, 3)}
    assert len(set(documents)) == 3
    assert not set(documents) & (indexes | guesses)


def test_two_papers_of_one_person_do_not_show_it(desk: Signers, draft: GroupApplication) -> None:
    vault = desk.portal.vault
    first = of_application(desk.session, vault, draft)["students"][0]["document"]
    draft.uid = "0" * 32
    second = of_application(desk.session, vault, draft)["students"][0]["document"]
    assert first != second


def rename(desk: Signers, draft: GroupApplication) -> None:
    desk.session.execute(sa.update(Student).values(name="改名"))


def another_document(desk: Signers, draft: GroupApplication) -> None:
    changed = sa.update(Student).where(Student.student_no == "202400001")
    desk.session.execute(changed.values(document_index=bytes(32)))


@pytest.mark.parametrize("change", [rename, another_document])
def test_content_changed_after_signing(
    desk: Signers, draft: GroupApplication, change: Callable[[Signers, GroupApplication], None]
) -> None:
    signed = desk.signed(desk.message(draft))
    change(desk, draft)
    with pytest.raises(CaRefused, match=r"ca\.signature"):
        submit(desk, draft, signed)
    assert untouched(desk, draft)


def test_what_was_not_signed_for_this(desk: Signers, draft: GroupApplication) -> None:
    text = desk.message(draft)
    wrong = [
        desk.signed(text, origin="http://other"),
        desk.signed(text.replace("\nsubmit\n", "\nsign-in\n")),
        desk.signed(text + "\n"),
        Signed(desk.signed(text).certificate, desk.signed(text).signature, ORIGIN),
    ]
    for signed in wrong:
        with pytest.raises(CaRefused, match=r"ca\.signature"):
            submit(desk, draft, signed)
    assert untouched(desk, draft)


def test_a_key_of_another(desk: Signers, draft: GroupApplication) -> None:
    other = authority.for_a_person("1@SF-SOMEBODY-ELSE", OID)
    with pytest.raises(CaRefused, match=r"ca\.key-id-unknown"):
        submit(desk, draft, desk.signed(desk.message(draft), desk.world.leaf(extensions=other)))
    stranger = World("rsa").leaf()
    with pytest.raises(CaRefused, match=r"ca\.untrusted"):
        submit(desk, draft, desk.signed(desk.message(draft), stranger))
    desk.operation.school.key_id_index = None
    with pytest.raises(CaRefused, match=r"ca\.key-id-unknown"):
        submit(desk, draft)
    assert untouched(desk, draft)


def test_another_schools_application_is_none(desk: Signers) -> None:
    others = desk.drafts(desk.operation.other, 7)[0]
    with pytest.raises(NotFound):
        submit(desk, others)
    with pytest.raises(NotFound):
        group_submission.withdraw(desk.session, desk.portal, desk.actor, others, "名单有误")


def test_withdrawing_needs_its_reason(desk: Signers, draft: GroupApplication) -> None:
    with pytest.raises(Refused, match="理由"):
        group_submission.withdraw(desk.session, desk.portal, desk.actor, draft, " ")


def refused_students(desk: Signers, draft: GroupApplication) -> dict[str, list[str]]:
    with pytest.raises(NoLongerEligible) as raised:
        submit(desk, draft)
    told = str(raised.value)
    for number, reasons in raised.value.students:
        assert f"学号 {number}" in told
        assert all(one.clause in told and one.message in told for one in reasons)
    assert untouched(desk, draft)
    return {number: [one.code for one in reasons] for number, reasons in raised.value.students}


def test_a_student_who_may_no_longer_apply(desk: Signers, draft: GroupApplication) -> None:
    changed = sa.update(Student).where(Student.student_no == "202400002")
    later = date(2029, 6, 30)
    desk.session.execute(changed.values(enrolment_status=Enrolment.SUSPENDED, graduates_on=later))
    desk.session.commit()
    expected = {"202400002": ["ENROLLED", "GRADUATING-YEAR"]}
    assert refused_students(desk, draft) == expected


@pytest.mark.parametrize("state", [BodyState.SUSPENDED, BodyState.ENDED])
def test_the_body_is_not_in_force_on_the_day(
    desk: Signers, draft: GroupApplication, state: BodyState
) -> None:
    body = desk.operation.social
    body.state, body.state_on = state, NOW.date()
    desk.session.commit()
    assert refused_students(desk, draft) == {f"2024{number:05d}": ["SCOPE"] for number in (1, 2, 3)}


def test_the_day_of_arrival_counts(
    desk: Signers, draft: GroupApplication, clock: FakeClock
) -> None:
    body = desk.operation.social
    body.state, body.state_on = BodyState.SUSPENDED, NOW.date() + timedelta(days=1)
    desk.session.commit()
    signed, arrived_at = desk.signed(desk.message(draft)), clock.now
    clock.now += timedelta(days=1)
    group_submission.submit(desk.session, desk.portal, desk.actor, draft, signed, arrived_at)
    assert draft.state is ApplicationState.SUBMITTED


def test_the_account_was_stopped(desk: Signers, draft: GroupApplication) -> None:
    desk.operation.school.stopped_on = NOW.date()
    desk.session.commit()
    assert set(map(tuple, refused_students(desk, draft).values())) == {("ACCOUNT",)}


def test_too_many_for_the_policy_of_the_day(
    desk: Signers, draft: GroupApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("school_portal.services.policies.current", lambda _: Policy(group_size=2))
    with pytest.raises(Refused, match="每份团体申报人数上限"):
        submit(desk, draft)
    assert untouched(desk, draft)


def test_a_submitted_application_is_not_submitted_again(
    desk: Signers, draft: GroupApplication
) -> None:
    signed = desk.signed(desk.message(draft))
    submit(desk, draft, signed)
    desk.session.commit()
    with pytest.raises(Refused, match="已提交"):
        submit(desk, draft, signed)


def test_two_submits_at_once_are_one(app: Flask, desk: Signers, draft: GroupApplication) -> None:
    signed, person, key = desk.signed(desk.message(draft)), desk.person.id, draft.id
    desk.session.commit()
    start, outcomes = Barrier(2), []

    def run() -> None:
        with app.app_context():
            session = db.session()
            actor = Actor.of(session.get_one(User, person))
            found = session.get_one(GroupApplication, key)
            session.rollback()
            start.wait()
            try:
                at = desk.portal.clock()
                group_submission.submit(session, desk.portal, actor, found, signed, at)
                session.commit()
                outcomes.append("submitted")
            except Refused as refused:
                outcomes.append(str(refused))

    threads = [Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes)[0] == "submitted"
    assert "已提交" in sorted(outcomes)[1]
    assert desk.session.scalar(sa.select(sa.func.count()).select_from(SignedSubmission)) == 1


def test_nothing_personal_in_the_audit_trail(desk: Signers, draft: GroupApplication) -> None:
    submit(desk, draft)
    desk.session.commit()
    written = repr([one.detail for one in desk.session.scalars(sa.select(AuditEvent))])
    assert "学生1" not in written and resident_id(1) not in written
