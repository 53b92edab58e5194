"""A school's group applications as lists: by state, sorted, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from school_portal.domain.group_application import ApplicationState, MemberState
from school_portal.domain.identifiers import mask_document, mask_mobile
from school_portal.models import (
    ApplicationMember,
    Body,
    GroupApplication,
    School,
    Specialty,
    Student,
)
from school_portal.security.vault import Vault

_SIZE = (
    sa.select(sa.func.count())
    .select_from(ApplicationMember)
    .where(ApplicationMember.application_id == GroupApplication.id)
    .correlate(GroupApplication)
    .scalar_subquery()
)
SORTS = {
    "number": GroupApplication.number,
    "occupation": GroupApplication.occupation_code,
    "body": GroupApplication.body_id,
    "students": _SIZE,
    "created": GroupApplication.created_at,
}


@dataclass(frozen=True, slots=True)
class Member:
    """A student of an application, numbers masked."""

    student: Student
    specialty: str
    state: MemberState
    document: str
    mobile: str


def counts(session: Session, school: School) -> dict[ApplicationState, int]:
    """How many applications the school has in each state."""
    found = session.execute(
        sa.select(GroupApplication.state, sa.func.count())
        .where(GroupApplication.school_id == school.id)
        .group_by(GroupApplication.state)
    )
    return {row.state: row[1] for row in found}


def page(
    session: Session,
    school: School,
    *,
    state: ApplicationState | None,
    body_id: int | None,
    sort: str,
    limit: int,
    offset: int,
) -> list[tuple[GroupApplication, int]]:
    """Applications with their number of students; `sort` a key of SORTS, `-` before it reverses."""
    key = SORTS.get(sort.removeprefix("-"), GroupApplication.number)
    query = (
        sa.select(GroupApplication, _SIZE)
        .where(*_conditions(school, state, body_id))
        .options(joinedload(GroupApplication.body))
        .order_by(key.desc() if sort.startswith("-") else key, GroupApplication.number)
        .limit(limit)
        .offset(offset)
    )
    return [(application, size) for application, size in session.execute(query)]


def count(
    session: Session, school: School, state: ApplicationState | None, body_id: int | None
) -> int:
    found = sa.select(sa.func.count()).select_from(GroupApplication)
    return session.scalar(found.where(*_conditions(school, state, body_id))) or 0


def _conditions(
    school: School, state: ApplicationState | None, body_id: int | None
) -> list[sa.ColumnElement[bool]]:
    conditions = [GroupApplication.school_id == school.id]
    if state is not None:
        conditions.append(GroupApplication.state == state)
    if body_id is not None:
        conditions.append(GroupApplication.body_id == body_id)
    return conditions


def bodies(session: Session, school: School) -> Sequence[Body]:
    """The bodies the school has applications at."""
    return session.scalars(
        sa.select(Body)
        .where(
            Body.id.in_(
                sa.select(GroupApplication.body_id).where(GroupApplication.school_id == school.id)
            )
        )
        .order_by(Body.name)
    ).all()


def count_members(session: Session, application: GroupApplication) -> int:
    return (
        session.scalar(
            sa.select(sa.func.count())
            .select_from(ApplicationMember)
            .where(ApplicationMember.application_id == application.id)
        )
        or 0
    )


def members(session: Session, vault: Vault, application: GroupApplication) -> list[Member]:
    """The application's students by number, all of them: who prints the page prints everyone."""
    found = session.execute(
        sa.select(ApplicationMember.state, Student, Specialty.name)
        .join(Student, Student.id == ApplicationMember.student_id)
        .join(Specialty, Specialty.id == Student.specialty_id)
        .where(ApplicationMember.application_id == application.id)
        .order_by(Student.student_no)
    )
    return [
        Member(
            student,
            specialty,
            state,
            mask_document(_opened(vault, student, "document")),
            mask_mobile(_opened(vault, student, "mobile")),
        )
        for state, student, specialty in found
    ]


def _opened(vault: Vault, student: Student, column: str) -> str:
    sealed: bytes = getattr(student, f"{column}_sealed")
    return vault.unseal("students", column, student.document_index, sealed)
