"""One person's data on request: found, shown, given out, corrected, deleted by the school."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from school_portal.domain.group_application import (
    APPLICATION_WORKFLOW,
    ApplicationAction,
    ApplicationState,
    MemberState,
)
from school_portal.domain.identifiers import (
    DocumentType,
    mask_document,
    mask_mobile,
    parse_mobile,
    person_key,
)
from school_portal.domain.labels import fold
from school_portal.domain.personal import PersonalAction
from school_portal.domain.roster import Enrolment
from school_portal.domain.workflow import Role
from school_portal.models import (
    ApplicationMember,
    AuditEvent,
    GroupApplication,
    PersonalAct,
    Restriction,
    Roster,
    RosterRow,
    Student,
    Wish,
)
from school_portal.security import audit
from school_portal.services.access import Actor, Refused, lock
from school_portal.services.disclosure import note
from school_portal.services.portal import Portal
from school_portal.services.transitions import apply

LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Held:
    """All that is held of one person; `rosters` are the files that name it."""

    student: Student
    document: str
    mobile: str
    wishes: Sequence[Wish]
    rosters: Sequence[Roster]
    members: Sequence[ApplicationMember]
    acts: Sequence[PersonalAct]
    restrictions: Sequence[Restriction]
    mentions: int  # in the audit trail

    @property
    def masked(self) -> tuple[str, str]:
        return mask_document(self.document), mask_mobile(self.mobile)

    @property
    def certificates(self) -> list[ApplicationMember]:
        return [one for one in self.members if one.state is MemberState.PASSED]


@dataclass(frozen=True, slots=True)
class Deletion:
    """What a deletion left: applications that the law keeps, files that still name the person."""

    kept: Sequence[str]
    rosters: Sequence[str]


def find(session: Session, portal: Portal, actor: Actor, number: str) -> Student | None:
    """The own school's student with that document number, of whatever kind; on record."""
    typed = fold(number).upper()
    keys = {person_key(kind, typed) for kind in DocumentType}
    indexes = portal.vault.index_many("person", sorted(keys))
    found = session.scalars(
        sa.select(Student).where(
            Student.school_id == actor.school_id, Student.document_index.in_(indexes)
        )
    ).first()
    subject = f"student:{found.id}" if found else f"school:{actor.school_id}"
    audit.record(
        session, actor.label, "person.find", subject, at=portal.clock(), found=found is not None
    )
    return found


def held(session: Session, portal: Portal, student: Student) -> Held:
    """All that is held of the student."""
    opened = portal.vault.unseal
    key = student.document_index
    subject = _subject(student)
    return Held(
        student,
        opened("students", "document", key, student.document_sealed),
        opened("students", "mobile", key, student.mobile_sealed),
        session.scalars(
            sa.select(Wish).where(Wish.student_id == student.id).order_by(Wish.id)
        ).all(),
        _rosters(session, student),
        _members(session, student),
        session.scalars(
            sa.select(PersonalAct)
            .where(PersonalAct.subject == subject)
            .options(joinedload(PersonalAct.user))
            .order_by(PersonalAct.id.desc())
        ).all(),
        session.scalars(
            sa.select(Restriction).where(Restriction.document_index == key).order_by(Restriction.id)
        ).all(),
        session.scalar(
            sa.select(sa.func.count()).select_from(AuditEvent).where(AuditEvent.subject == subject)
        )
        or 0,
    )


def _subject(student: Student) -> str:
    return f"student:{student.id}"


def _rosters(session: Session, student: Student) -> Sequence[Roster]:
    """The school's rosters that named the person, saved or waiting to be confirmed."""
    saved = sa.select(Wish.roster_id).where(Wish.student_id == student.id)
    staged = sa.select(RosterRow.roster_id).where(
        RosterRow.document_index == student.document_index
    )
    return session.scalars(
        sa.select(Roster)
        .where(
            Roster.school_id == student.school_id,
            sa.or_(Roster.id.in_(saved), Roster.id.in_(staged)),
        )
        .order_by(Roster.id)
    ).all()


def _members(session: Session, student: Student) -> Sequence[ApplicationMember]:
    return session.scalars(
        sa.select(ApplicationMember)
        .where(ApplicationMember.student_id == student.id)
        .options(joinedload(ApplicationMember.application).joinedload(GroupApplication.body))
        .order_by(ApplicationMember.id)
    ).all()


def export(
    session: Session, portal: Portal, actor: Actor, student: Student, reason: str
) -> dict[str, Any]:
    """All of it as one document, numbers whole. Raises Refused without a reason."""
    act = PersonalAction.EXPORT
    note(session, portal, actor, act, _subject(student), student.school_id, reason)
    session.flush()
    found = held(session, portal, student)
    return {
        "student": _particulars(found),
        "wishes": [_wish(one) for one in found.wishes],
        "rosters": [_roster(one) for one in found.rosters],
        "applications": [_member(one) for one in found.members],
        "restrictions": [_restriction(one) for one in found.restrictions],
        "acts": [_act(one) for one in found.acts],
        "audit_events": found.mentions,
    }


def _particulars(found: Held) -> dict[str, str]:
    student = found.student
    return {
        "学号": student.student_no,
        "姓名": student.name,
        "证件类型": student.document_type.label,
        "证件号码": found.document,
        "性别": student.sex.label if student.sex else "",
        "出生日期": str(student.birth_date or ""),
        "民族": student.ethnicity,
        "手机号码": found.mobile,
        "培养层次": student.training_level.label,
        "专业": student.specialty.name,
        "班级": student.class_name,
        "入学年月": student.entered_on,
        "毕业日期": student.graduates_on.isoformat(),
        "学籍状态": student.enrolment_status.label,
        "学习形式": student.study_mode.label,
    }


def _wish(wish: Wish) -> dict[str, str]:
    return {
        "名册": str(wish.roster_id),
        "申报事项": wish.route.label,
        "职业编码": wish.occupation_code,
        "职业": wish.occupation,
        "工种": wish.direction,
        "等级": str(wish.level or ""),
        "评价机构": wish.body_uscc,
    }


def _roster(roster: Roster) -> dict[str, str]:
    kept = "已到期删除" if roster.expired_at else "保存中"
    at = roster.uploaded_at.isoformat(timespec="seconds")
    return {"编号": str(roster.id), "文件": roster.file_name, "上传时间": at, "文件状态": kept}


def _member(member: ApplicationMember) -> dict[str, str]:
    application = member.application
    return {
        "申报编号": application.number,
        "申报状态": application.state.label,
        "评价机构": application.body.name if application.body else "上海市职业技能鉴定中心",
        "项目": member.project.label,
        "结果": member.state.label,
    }


def _restriction(restriction: Restriction) -> dict[str, str]:
    first, last = restriction.starts_on, restriction.ends_on
    return {"自": str(first or ""), "至": str(last or ""), "理由": restriction.reason}


def _act(act: PersonalAct) -> dict[str, str]:
    return {
        "时间": act.at.isoformat(timespec="seconds"),
        "经办人": act.user.name if act.user else "",
        "事项": act.action.label,
        "理由": act.reason,
    }


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
    if not name.strip() or len(name.strip()) > LONGEST_NAME:
        raise Refused(f"请填写姓名，不超过 {LONGEST_NAME} 个字。")
    if number is None:
        raise Refused("手机号码须为 11 位大陆手机号码，请核对后重新填写。")
    new = {"name": name.strip(), "mobile": number, "enrolment_status": enrolment.value}
    changed = sorted(field for field in new if new[field] != old[field])
    if not changed:
        raise Refused("内容与现在的一样，没有更正。")
    act = PersonalAction.CORRECT
    made = note(
        session, portal, actor, act, _subject(student), school.id, reason, fields=",".join(changed)
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
        raise Refused("该生已在其他学校登记为在籍，学籍状态没有更正，请与市中心联系。") from None


def delete(
    session: Session, portal: Portal, actor: Actor, student: Student, reason: str
) -> Deletion:
    """Delete what may be deleted.

    Applications that left the draft are kept with the student in them, certificates among them
    (rulebook 11): then only wishes, staged rows and what corrections replaced go. Otherwise the
    student goes too, out of the drafts. Raises Refused without a reason.
    """
    school = lock(session, student.school_id)
    rosters = [one.file_name for one in _rosters(session, student) if one.expired_at is None]
    members = _members(session, student)
    kept = sorted(
        one.application.number
        for one in members
        if one.application.state is not ApplicationState.DRAFT
    )
    act, subject = PersonalAction.DELETE, _subject(student)
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
