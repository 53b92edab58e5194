"""Whole numbers shown to who must see them, with the reason on record (rulebook 11)."""

from __future__ import annotations

from hashlib import sha256

from sqlalchemy.orm import Session

from school_portal.domain.personal import PersonalAction
from school_portal.domain.texts import trimmed
from school_portal.models import AccountOpening, PersonalAct, Student
from school_portal.security import audit
from school_portal.services import opening_check
from school_portal.services.access import Actor, NotFound, Refused
from school_portal.services.portal import Portal

OPENING_NUMBERS = {"operator_document": "身份证号", "key_id": "keyID"}
_CODES = {PersonalAction.REVEAL: "number.reveal"}


def note(
    session: Session,
    portal: Portal,
    actor: Actor,
    action: PersonalAction,
    subject: str,
    school_id: int,
    reason: str,
    **detail: audit.Primitive,
) -> PersonalAct:
    """Keep who did what with a person's data and why; the audit chain holds the reason's hash.

    Raises Refused without a reason.
    """
    if not trimmed(reason):
        raise Refused("请写明理由。")
    act = PersonalAct(
        subject=subject,
        school_id=school_id,
        at=portal.clock(),
        user_id=actor.user_id,
        action=action,
        reason=trimmed(reason),
    )
    session.add(act)
    digest = sha256(act.reason.encode()).hexdigest()
    code = _CODES.get(action, f"person.{action.value}")
    audit.record(session, actor.label, code, subject, at=act.at, reason_sha256=digest, **detail)
    return act


def of_student(
    session: Session, portal: Portal, actor: Actor, student: Student, reason: str
) -> str:
    """The student's whole document number. Raises Refused without a reason."""
    subject, act = f"student:{student.id}", PersonalAction.REVEAL
    note(session, portal, actor, act, subject, student.school_id, reason, column="document")
    sealed = student.document_sealed
    return portal.vault.unseal("students", "document", student.document_index, sealed)


def of_opening(
    session: Session,
    portal: Portal,
    actor: Actor,
    opening: AccountOpening,
    column: str,
    reason: str,
) -> str:
    """The operator's whole document number, or the keyID, as `OPENING_NUMBERS` names them.

    Raises NotFound for what the application does not hold, Refused without a reason.
    """
    number = getattr(opening_check.personal(portal.vault, opening), column, "")
    if column not in OPENING_NUMBERS or not number:
        raise NotFound("AccountOpening")
    act, school = PersonalAction.REVEAL, opening.school_id
    note(session, portal, actor, act, opening.subject, school, reason, column=column)
    return str(number)
