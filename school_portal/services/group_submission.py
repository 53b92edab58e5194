"""A group application signed with the school's key and submitted (rulebook 7; contract)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.eligibility import Excluded, Judge
from school_portal.domain.group_application import (
    APPLICATION_WORKFLOW,
    ApplicationAction,
    MemberState,
)
from school_portal.domain.roster import Route, Wish
from school_portal.domain.violations import Reason, policy_clause
from school_portal.domain.windows import civil_date
from school_portal.domain.workflow import Role
from school_portal.models import ApplicationMember, GroupApplication, GroupSubmission, School
from school_portal.models import Student as SavedStudent
from school_portal.security import receipt_key
from school_portal.security.ca.certificates import Certificate
from school_portal.security.ca.verification import CaRefused, Code, Verified, verify
from school_portal.security.canonical import canonical, digest
from school_portal.security.vault import Vault
from school_portal.services import crl_overrides, facts, policies, school_keys, signatures
from school_portal.services.access import Actor, NotFound, Refused, hold, lock
from school_portal.services.portal import Portal
from school_portal.services.transitions import apply

PURPOSE = "submit"
VERSION = 1  # of the content (docs/receipts.md)
PLACE = ("group_submissions", "content")
OFF = "本平台没有启用密钥签名，不能在线提交，请下载工作簿交评价机构。"


@dataclass(frozen=True, slots=True)
class Signed:
    """What came back from the school's key, and the origin of the page that asked for it."""

    certificate: Certificate
    signature: bytes
    origin: str


class NoLongerEligible(Refused):
    """Students of the application may not apply any more, each with every reason."""

    def __init__(self, students: Sequence[tuple[str, Sequence[Reason]]]) -> None:
        self.students = students  # by student number
        told = "".join(
            f"学号 {number}：" + "".join(f"{one.message}（{one.clause}）" for one in reasons)
            for number, reasons in students
        )
        super().__init__(f"有 {len(students)} 名学生现在不能申报，全部没有提交。{told}")


def content(session: Session, vault: Vault, application: GroupApplication) -> dict[str, Any]:
    """What is signed, as docs/receipts.md says; a document stands by a hash keyed for this paper.

    Nobody who lacks the portal's key can try numbers against it, nor join two receipts by it.
    """
    school, body = application.school, application.body
    return {
        "version": VERSION,
        "kind": application.KIND,
        "uid": application.uid,
        "number": application.number,
        "revision": application.version,
        "school": {"uscc": school.uscc, "name": school.name},
        "body": {"uscc": body.uscc, "name": body.name} if body else None,
        "route": application.route.value,
        "project": {
            "occupation_code": application.occupation_code,
            "occupation": application.occupation,
            "direction": application.direction,
            "level": application.level,
        },
        "students": [
            {
                "student_no": student_no,
                "name": name,
                "document": vault.index("receipt", f"{application.uid}:{person.hex()}").hex(),
            }
            for student_no, name, person in _included(session, application)
        ],
    }


def _included(session: Session, application: GroupApplication) -> list[tuple[str, str, bytes]]:
    """Number, name and document's hash of the students whom the application holds, by number."""
    found = session.execute(
        sa.select(
            SavedStudent.student_no,
            SavedStudent.name,
            SavedStudent.document_index,
        )
        .join(ApplicationMember, ApplicationMember.student_id == SavedStudent.id)
        .where(
            ApplicationMember.application_id == application.id,
            ApplicationMember.state == MemberState.INCLUDED,
        )
    )
    # Sorted here: databases differ in how they collate.
    return sorted((number, name, person) for number, name, person in found)


def message(session: Session, vault: Vault, origin: str, application: GroupApplication) -> str:
    """The very text that the school's key signs (contract)."""
    return signatures.message(origin, PURPOSE, digest(content(session, vault, application)))


def submit(
    session: Session,
    portal: Portal,
    actor: Actor,
    application: GroupApplication,
    signed: Signed,
    arrived_at: datetime,
) -> GroupSubmission:
    """Judge everything again as of the day of arrival, then sign and submit in one step.

    Raises CaRefused for the key; NoLongerEligible; Refused where submission is off, or the
    application is no draft any more.
    """
    school = _alone(session, actor, application)
    table = APPLICATION_WORKFLOW.table
    if (application.state, ApplicationAction.SIGN, Role.SCHOOL) in table:
        made = content(session, portal.vault, application)
        verified = _verified(session, portal, school, signed, digest(made), arrived_at)
        _judge(session, school, application, len(made["students"]), arrived_at)
        submission = _keep(session, portal, actor, application, signed, verified, made, arrived_at)
    for action in (ApplicationAction.SIGN, ApplicationAction.SUBMIT):
        apply(
            session,
            APPLICATION_WORKFLOW,
            application,
            action,
            Role.SCHOOL,
            actor=actor,
            at=arrived_at,
        )
    return submission


def _alone(session: Session, actor: Actor, application: GroupApplication) -> School:
    """The actor's school, locked with its application. Raises NotFound for another's."""
    if application.school_id != actor.school_id:
        raise NotFound("GroupApplication")
    school = lock(session, application.school_id)
    hold(session, application)
    return school


def withdraw(
    session: Session, portal: Portal, actor: Actor, application: GroupApplication, reason: str
) -> None:
    """Take the application back: its students are free at once. Raises Refused."""
    _alone(session, actor, application)
    if not reason.strip():
        raise Refused("请写明撤回的理由。")
    apply(
        session,
        APPLICATION_WORKFLOW,
        application,
        ApplicationAction.WITHDRAW,
        Role.SCHOOL,
        actor=actor,
        at=portal.clock(),
        reason=reason.strip(),
    )
    session.execute(
        sa.update(ApplicationMember)
        .where(ApplicationMember.application_id == application.id)
        .values(is_open=False)
    )


def _verified(
    session: Session, portal: Portal, school: School, signed: Signed, hashed: str, at: datetime
) -> Verified:
    """The signature, where it is of the school's own key. Raises CaRefused, Refused."""
    if portal.trust is None:
        raise Refused(OFF)
    text = signatures.message(signed.origin, PURPOSE, hashed)
    trust = crl_overrides.applied(session, portal.trust.read(), at)
    oid = portal.trust.key_id_oid
    verified = verify(signed.certificate, signed.signature, [text], trust, oid, at)
    if portal.vault.index("key-id", verified.key_id) != school.key_id_index:
        raise CaRefused(Code.KEY_ID_UNKNOWN)
    school_keys.meet(session, school, signed.certificate, at)
    return verified


def _judge(
    session: Session, school: School, application: GroupApplication, size: int, at: datetime
) -> None:
    """Every rule, for every student, on the day of arrival. Raises Refused, NoLongerEligible."""
    policy = policies.current(session)
    if not 0 < size <= policy.group_size:
        raise Refused(
            f"一份团体申报须有 1 至 {policy.group_size} 名学生，这份有 {size} 名，没有提交，"
            f"请撤回后重新生成。依据：{policy_clause('group_size')}。"
        )
    loaded = facts.load(session, school)
    judge = Judge(loaded, civil_date(at), policy)
    wish = _wish(application)
    numbers = {number for number, _, _ in _included(session, application)}
    outcomes = (
        # What holds the student is this application itself.
        (student.student_no, judge.judge(replace(student, wish=wish, held={})))
        for student in sorted(loaded.students, key=lambda one: one.student_no)
        if student.student_no in numbers
    )
    stopped = [(number, one.reasons) for number, one in outcomes if isinstance(one, Excluded)]
    if stopped:
        raise NoLongerEligible(stopped)


def _wish(application: GroupApplication) -> Wish:
    project, body = application.project, application.body
    return Wish(
        route=Route(application.route),
        code=project.code,
        occupation=project.occupation,
        direction=project.direction,
        level=project.level,
        body=body.uscc if body else None,
    )


def _keep(
    session: Session,
    portal: Portal,
    actor: Actor,
    application: GroupApplication,
    signed: Signed,
    verified: Verified,
    made: dict[str, Any],
    at: datetime,
) -> GroupSubmission:
    if actor.user_id is None:
        raise Refused("请登录学校账户后签名提交。")
    signature = signatures.keep(
        session,
        portal,
        signed.certificate,
        signed.signature,
        verified,
        purpose=PURPOSE,
        school_id=application.school_id,
        user_id=actor.user_id,
        at=at,
    )
    receipt_key.ensure(session, portal.ring)
    hashed = digest(made)
    text = canonical(made).decode()
    submission = GroupSubmission(
        application=application,
        arrived_at=at,
        digest=hashed,
        content_sealed=portal.vault.seal(*PLACE, hashed.encode(), text),
        signature=signature,
        issuers=[b64encode(one.der).decode() for one in verified.chain[1:]],
    )
    session.add(submission)
    return submission
