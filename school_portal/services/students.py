"""A school's saved students: found, counted, listed; and in which application each is."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from school_portal.domain.group_application import MemberState
from school_portal.domain.identifiers import DocumentType, mask_document, person_key
from school_portal.domain.labels import fold
from school_portal.domain.roster import Enrolment
from school_portal.models import ApplicationMember, School, Specialty, Student, Wish
from school_portal.security.cipher import Unreadable
from school_portal.security.vault import Vault

_PLACE = ("students", "query")  # where a text that was searched for is sealed to
_JUDGED = (MemberState.PASSED, MemberState.FAILED)
SORTS: dict[str, Any] = {
    "number": Student.student_no,
    "name": Student.name,
    "class": Student.class_name,
    "specialty": Specialty.name,
    "graduation": Student.graduates_on,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of the school's students; `planned`: in an application, or in none though enrolled."""

    text: str = ""
    roster_id: int | None = None
    planned: bool | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A saved student, the number masked, and the applications that hold or judged them."""

    student: Student
    document: str
    members: Sequence[ApplicationMember]


def _planned() -> sa.ColumnElement[bool]:
    """In an open application, or passed in one that is not."""
    return sa.exists().where(
        ApplicationMember.student_id == Student.id,
        sa.or_(ApplicationMember.is_open, ApplicationMember.state == MemberState.PASSED),
    )


def _left() -> sa.ColumnElement[bool]:
    """In none, and not gone from the school."""
    here = Student.enrolment_status.in_([one for one in Enrolment if one.holds])
    return sa.and_(here, ~_planned())


def _conditions(vault: Vault, school: School, wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    found = [Student.school_id == school.id]
    if text := wanted.text.strip():
        found.append(
            sa.or_(
                Student.name.contains(text, autoescape=True),
                Student.student_no.icontains(text, autoescape=True),
                _by_number(vault, text),
            )
        )
    if wanted.roster_id is not None:
        saved = sa.select(Wish.student_id).where(Wish.roster_id == wanted.roster_id)
        found.append(Student.id.in_(saved))
    if wanted.planned is not None:
        found.append(_planned() if wanted.planned else _left())
    return found


def _by_number(vault: Vault, text: str) -> sa.ColumnElement[bool]:
    """The document number is the text, of whatever kind: by keyed hash."""
    typed = fold(text).upper()
    keys = sorted({person_key(kind, typed) for kind in DocumentType})
    return Student.document_index.in_(vault.index_many("person", keys))


def of_number(session: Session, vault: Vault, school_id: int | None, text: str) -> Student | None:
    """The school's student with that document number."""
    return session.scalars(
        sa.select(Student).where(Student.school_id == school_id, _by_number(vault, text))
    ).first()


def count(session: Session, vault: Vault, school: School, wanted: Wanted) -> int:
    """How many there are."""
    found = sa.select(sa.func.count()).select_from(Student)
    return session.scalar(found.where(*_conditions(vault, school, wanted))) or 0


def counts(session: Session, vault: Vault, school: School, wanted: Wanted) -> dict[str, int]:
    """How many there are in all, in none, and in an application."""
    return {
        show: count(session, vault, school, replace(wanted, planned=planned))
        for show, planned in (("all", None), ("left", False), ("planned", True))
    }


def page(
    session: Session,
    vault: Vault,
    school: School,
    wanted: Wanted,
    *,
    sort: str = "number",
    limit: int | None = None,
    offset: int = 0,
) -> list[Listed]:
    """Those students; `sort` a key of SORTS, `-` before it reverses."""
    key = SORTS.get(sort.removeprefix("-"), Student.student_no)
    found = session.scalars(
        sa.select(Student)
        .join(Student.specialty)
        .where(*_conditions(vault, school, wanted))
        .options(sa.orm.contains_eager(Student.specialty))
        .order_by(key.desc() if sort.startswith("-") else key, Student.student_no)
        .limit(limit)
        .offset(offset)
    ).all()
    members = _members(session, found)
    return [Listed(one, _masked(vault, one), members[one.id]) for one in found]


def _members(session: Session, found: Iterable[Student]) -> dict[int, list[ApplicationMember]]:
    members: dict[int, list[ApplicationMember]] = defaultdict(list)
    for member in session.scalars(
        sa.select(ApplicationMember)
        .where(
            ApplicationMember.student_id.in_([one.id for one in found]),
            sa.or_(ApplicationMember.is_open, ApplicationMember.state.in_(_JUDGED)),
        )
        .options(joinedload(ApplicationMember.application))
        .order_by(ApplicationMember.id)
    ):
        members[member.student_id].append(member)
    return members


def _masked(vault: Vault, student: Student) -> str:
    key = student.document_index
    return mask_document(vault.unseal("students", "document", key, student.document_sealed))


def document(session: Session, vault: Vault, school: School, text: str = "") -> dict[str, Any]:
    """The contract's document of `students list`."""
    return {
        "students": [
            {
                "student_no": one.student.student_no,
                "name": one.student.name,
                "class": one.student.class_name,
                "specialty_code": one.student.specialty.code,
                "specialty": one.student.specialty.name,
                "enrolment_status": one.student.enrolment_status.value,
                "graduation": one.student.graduates_on.isoformat(),
            }
            for one in page(session, vault, school, Wanted(text))
        ]
    }


def sealed_query(vault: Vault, school: School, text: str) -> str:
    """The text for an address, in which nobody reads a name."""
    sealed = vault.seal(*_PLACE, school.uscc.encode(), text)
    return urlsafe_b64encode(sealed).decode().rstrip("=")


def opened_query(vault: Vault, school: School, token: str) -> str:
    """The text that was sealed for the school; empty for anything else."""
    try:
        sealed = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        return vault.unseal(*_PLACE, school.uscc.encode(), sealed)
    except (ValueError, Unreadable):
        return ""
