"""One person's data on request: found, shown, given out by the school."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from school_portal.domain.group_application import (
    MemberState,
)
from school_portal.domain.identifiers import mask_document, mask_mobile
from school_portal.domain.personal import PersonalAction
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
from school_portal.services import students
from school_portal.services.access import Actor
from school_portal.services.disclosure import note
from school_portal.services.portal import Portal


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


def find(session: Session, portal: Portal, actor: Actor, number: str) -> Student | None:
    """The own school's student with that document number, of whatever kind; on record."""
    found = students.of_number(session, portal.vault, actor.school_id, number)
    subject = f"student:{found.id}" if found else f"school:{actor.school_id}"
    audit.record(
        session, actor.label, "person.find", subject, at=portal.clock(), found=found is not None
    )
    return found


def held(session: Session, portal: Portal, student: Student) -> Held:
    """All that is held of the student."""
    opened = portal.vault.unseal
    key = student.document_index
    subject = subject_of(student)
    return Held(
        student,
        opened("students", "document", key, student.document_sealed),
        opened("students", "mobile", key, student.mobile_sealed),
        session.scalars(
            sa.select(Wish).where(Wish.student_id == student.id).order_by(Wish.id)
        ).all(),
        rosters_naming(session, student),
        members_of(session, student),
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


def subject_of(student: Student) -> str:
    return f"student:{student.id}"


def rosters_naming(session: Session, student: Student) -> Sequence[Roster]:
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


def members_of(session: Session, student: Student) -> Sequence[ApplicationMember]:
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
    note(session, portal, actor, act, subject_of(student), student.school_id, reason)
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
    kept = "已到期删除" if roster.expired_at else "保留中"
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
