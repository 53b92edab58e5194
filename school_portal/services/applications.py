"""Group applications: planned, generated, listed, exported (rulebook 4 and 7)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal import jobs
from school_portal.domain import grouping
from school_portal.domain.group_application import ApplicationState, MemberState
from school_portal.models import (
    ApplicationMember,
    Body,
    GroupApplication,
    Job,
    Roster,
    School,
    Specialty,
    Student,
    dialect,
)
from school_portal.security import audit
from school_portal.services import facts, numbering, policies
from school_portal.services.access import Actor, NotFound, Refused, lock
from school_portal.services.portal import Portal

MEMBER_COLUMNS = (
    "application_id",
    "student_id",
    "document_index",
    "state",
    "is_open",
    "occupation_code",
    "occupation",
    "direction",
    "level",
)


def plan(
    session: Session, portal: Portal, school: School, on: date, roster_id: int | None = None
) -> grouping.Plan:
    """What would be generated on that day, and why each other student is left out.

    Raises NotFound where the roster is not the school's, and Refused where it was not saved.
    """
    if roster_id is not None:
        _guard_roster(session, school, roster_id)
    return grouping.plan(facts.load(session, school, roster_id), on, policies.current(session))


def _guard_roster(session: Session, school: School, roster_id: int) -> None:
    roster = session.get(Roster, roster_id)
    if roster is None or roster.school_id != school.id:
        raise NotFound("Roster")
    if roster.applied_at is None:  # nobody in it looks like nobody who may apply
        raise Refused(
            f"名册 {roster.id} 还没有保存（{roster.state.label}），其中没有可以申报的学生。"
            "请先保存名册。"
        )


def plan_document(
    session: Session, portal: Portal, school: School, on: date, roster_id: int | None = None
) -> dict[str, Any]:
    """The contract's document of `applications plan`."""
    return grouping.as_document(plan(session, portal, school, on, roster_id), on, school.uscc)


def request_generation(
    session: Session,
    portal: Portal,
    actor: Actor,
    school: School,
    on: date,
    roster_id: int | None = None,
    request_id: str | None = None,
) -> Job:
    """Have a worker make what the plan of that day shows. Raises as `plan` for the roster."""
    if roster_id is not None:
        _guard_roster(session, school, roster_id)
    return jobs.enqueue(
        session,
        "applications-generate",
        subject_id=school.id,
        school_id=school.id,
        options={"on": on.isoformat(), "roster": roster_id},
        actor_id=actor.user_id,
        now=portal.clock(),
        request_id=request_id,
    )


def generate(session: Session, portal: Portal, job: Job) -> dict[str, Any]:
    """Make the planned applications as drafts, in one transaction.

    Answers the contract's document with `created`. The school is locked, so that two runs follow
    each other; the unique index on open members stands behind it.
    """
    school = lock(session, job.subject_id)
    on = date.fromisoformat(job.options["on"])
    planned = plan(session, portal, school, on, job.options["roster"])
    created = _create(session, portal, school, job, planned.applications)
    for application in created:
        audit.record(
            session,
            f"user:{job.created_by_id}" if job.created_by_id else "console",
            "application.generate",
            f"application:{application.id}",
            number=application.number,
        )
    document = grouping.as_document(planned, on, school.uscc)
    return {**document, "created": [application.id for application in created]}


def _create(
    session: Session,
    portal: Portal,
    school: School,
    job: Job,
    planned: Iterable[grouping.PlannedApplication],
) -> list[GroupApplication]:
    planned = list(planned)
    now = portal.clock()
    numbers = numbering.numbers(
        session, "group-application", "TB", portal.today().year, len(planned)
    )
    bodies = dict(session.execute(sa.select(Body.uscc, Body.id)).all())
    applications = [
        GroupApplication(
            number=number,
            school_id=school.id,
            body_id=bodies[one.body] if one.body else None,
            route=one.route,
            **one.project.columns(),
            state=ApplicationState.DRAFT,
            job_id=job.id,
            created_at=now,
        )
        for one, number in zip(planned, numbers, strict=True)
    ]
    session.add_all(applications)
    session.flush()
    _include(session, school, list(zip(applications, planned, strict=True)))
    return applications


def _include(
    session: Session,
    school: School,
    planned: Iterable[tuple[GroupApplication, grouping.PlannedApplication]],
) -> None:
    """The students of each application, in one insert."""
    students = {
        number: (key, person)
        for number, key, person in session.execute(
            sa.select(Student.student_no, Student.id, Student.document_index).where(
                Student.school_id == school.id
            )
        )
    }
    dialect.bulk_insert(
        session,
        ApplicationMember.__table__,
        MEMBER_COLUMNS,
        (
            (
                application.id,
                *students[student_no],
                MemberState.INCLUDED.value,
                True,
                application.occupation_code,
                application.occupation,
                application.direction,
                application.level,
            )
            for application, one in planned
            for student_no in one.students
        ),
    )


def choose_body(session: Session, actor: Actor, specialty: Specialty, body: Body | None) -> None:
    """Choose the body for a specialty's students whose rows name none; None takes it back."""
    specialty.chosen_body_id = body.id if body else None
    audit.record(
        session,
        actor.label,
        "specialty.choose-body",
        f"specialty:{specialty.id}",
        body=body.uscc if body else None,
    )


def listing(session: Session, school: School) -> dict[str, Any]:
    """The contract's document of `applications list`, in the order of the numbers."""
    members: dict[int, list[str]] = {}
    for application_id, student_no in session.execute(
        sa.select(ApplicationMember.application_id, Student.student_no)
        .join(Student, Student.id == ApplicationMember.student_id)
        .join(GroupApplication, GroupApplication.id == ApplicationMember.application_id)
        .where(GroupApplication.school_id == school.id)
        .order_by(Student.student_no)
    ):
        members.setdefault(application_id, []).append(student_no)
    found = session.scalars(
        sa.select(GroupApplication)
        .where(GroupApplication.school_id == school.id)
        .options(sa.orm.joinedload(GroupApplication.body))
        .order_by(GroupApplication.number)
    )
    return {
        "school": school.uscc,
        "applications": [
            {
                "id": one.id,
                "number": one.number,
                "state": one.state.value,
                "body": one.body.uscc if one.body else None,
                "body_name": one.body.name if one.body else None,
                "route": one.route.value,
                **one.project.columns(),
                "students": members.get(one.id, []),
            }
            for one in found
        ],
    }
