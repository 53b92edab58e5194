"""One person's data corrected or deleted on request, with what must be kept named."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.group_application import (
    APPLICATION_WORKFLOW,
    ApplicationAction,
    ApplicationState,
)
from school_portal.domain.identifiers import parse_mobile
from school_portal.domain.personal import PersonalAction
from school_portal.domain.roster import Enrolment
from school_portal.domain.texts import tidy_name
from school_portal.domain.workflow import Role
from school_portal.models import ApplicationMember, PersonalAct, Roster, RosterRow, Student, Wish
from school_portal.services.access import Actor, Refused, lock
from school_portal.services.disclosure import note
from school_portal.services.other_school import HeldElsewhere
from school_portal.services.personal import members_of, rosters_naming, subject_of
from school_portal.services.portal import Portal
from school_portal.services.reindexing import keep_restricted_documents
from school_portal.services.transitions import apply

LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Deletion:
    """What a deletion left: applications that the law keeps, files that still name the person."""

    kept: Sequence[str]
    rosters: Sequence[str]


def correct(
    session: Session,
    portal: Portal,
    actor: Actor,
    student: Student,
    *,
    name: str,
    mobile: str,
    enrolment: Enrolment,
    reason: str,
) -> None:
    """Correct what was wrong; what stood there before is kept, sealed, with the reason.

    Raises Refused: nothing changed, no name, no mobile, no reason, or another school holds the
    person.
    """
    school, old = lock(session, student.school_id), _correctable(portal, student)
    number = parse_mobile(mobile)
    tidy, _ = tidy_name(name)
    if not tidy or len(tidy) > LONGEST_NAME:
        raise Refused(f"请填写姓名，不超过 {LONGEST_NAME} 个字。")
    if number is None:
        raise Refused("手机号码须为 11 位大陆手机号码，请核对后重新填写。")
    new = {"name": tidy, "mobile": number, "enrolment_status": enrolment.value}
    changed = sorted(field for field in new if new[field] != old[field])
    if not changed:
        raise Refused("内容与现在的一样，没有更正。")
    act = PersonalAction.CORRECT
    made = note(
        session,
        portal,
        actor,
        act,
        subject_of(student),
        school.id,
        reason,
        fields=",".join(changed),
    )
    session.flush()
    before = json.dumps({field: old[field] for field in changed}, ensure_ascii=False)
    made.before_sealed = portal.vault.seal("personal_acts", "before", made.uid.encode(), before)
    key = student.document_index
    student.name, student.enrolment_status = new["name"], enrolment
    student.mobile_sealed = portal.vault.seal("students", "mobile", key, number)
    student.mobile_index = portal.vault.index("mobile", number)
    student.updated_at = portal.clock()
    school.students_version += 1
    _flush_held(session)


def _correctable(portal: Portal, student: Student) -> dict[str, str]:
    sealed, key = student.mobile_sealed, student.document_index
    mobile = portal.vault.unseal("students", "mobile", key, sealed)
    return {
        "name": student.name,
        "mobile": mobile,
        "enrolment_status": student.enrolment_status.value,
    }


def _flush_held(session: Session) -> None:
    try:
        with session.begin_nested():
            session.flush()
    except sa.exc.IntegrityError:
        raise HeldElsewhere(
            "该生已在其他学校登记为在籍，学籍状态没有更正，请与市中心联系。"
        ) from None


def delete(
    session: Session, portal: Portal, actor: Actor, student: Student, reason: str
) -> Deletion:
    """Delete what may be deleted.

    Applications that left the draft are kept with the student in them, certificates among them
    (rulebook 11): then only wishes, staged rows and what corrections replaced go. Otherwise the
    student goes too, out of the drafts. Raises Refused without a reason.
    """
    school = lock(session, student.school_id)
    keep_restricted_documents(session)
    rosters = [one.file_name for one in rosters_naming(session, student) if one.expired_at is None]
    members = members_of(session, student)
    kept = sorted(
        one.application.number
        for one in members
        if one.application.state is not ApplicationState.DRAFT
    )
    act, subject = PersonalAction.DELETE, subject_of(student)
    note(session, portal, actor, act, subject, school.id, reason, kept=len(kept))
    staged = sa.select(Roster.id).where(Roster.school_id == school.id)
    for gone in (
        sa.delete(Wish).where(Wish.student_id == student.id),
        sa.delete(RosterRow).where(
            RosterRow.document_index == student.document_index, RosterRow.roster_id.in_(staged)
        ),
        sa.update(PersonalAct).where(PersonalAct.subject == subject).values(before_sealed=None),
    ):
        session.execute(gone, execution_options={"synchronize_session": False})
    if not kept:
        _take_out(session, portal, actor, members)
        session.delete(student)
    school.students_version += 1
    session.flush()
    return Deletion(kept, rosters)


def _take_out(
    session: Session, portal: Portal, actor: Actor, members: Sequence[ApplicationMember]
) -> None:
    """Out of the drafts; one with nobody left in it is withdrawn."""
    drafts = {member.application for member in members}
    for member in members:
        session.delete(member)
    session.flush()
    for draft in drafts:
        left = sa.select(ApplicationMember.id).where(ApplicationMember.application_id == draft.id)
        if session.scalar(left.limit(1)) is None:
            act, at = ApplicationAction.WITHDRAW, portal.clock()
            apply(session, APPLICATION_WORKFLOW, draft, act, Role.SCHOOL, actor=actor, at=at)
