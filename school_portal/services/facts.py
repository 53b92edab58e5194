"""The facts of a whole school, loaded in a handful of queries, for the rules to judge."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain import facts as rules
from school_portal.domain.group_application import MemberState
from school_portal.domain.levels import Level
from school_portal.domain.projects import Project
from school_portal.domain.roster import Route, Wish
from school_portal.domain.windows import Period
from school_portal.models import (
    ApplicationMember,
    Body,
    BodyProject,
    Cooperation,
    EvaluationLine,
    GroupApplication,
    Permission,
    Restriction,
    School,
    Specialty,
    Student,
)
from school_portal.models import Wish as SavedWish

UNWISHED = Wish()


def load(session: Session, school: School, roster_id: int | None = None) -> rules.Facts:
    """Everything the rules ask about a school's students, or about one roster's alone."""
    specialties = {
        specialty.id: specialty
        for specialty in session.scalars(
            sa.select(Specialty).where(Specialty.school_id == school.id)
        )
    }
    restrictions = _restrictions(session)
    bodies = _bodies(session, restrictions)
    return rules.Facts(
        school=_school(school, specialties.values(), bodies, restrictions),
        lines=_lines(session, specialties),
        permissions=tuple(
            rules.Permission(p.route, p.node, p.project, Period(p.starts_on, p.ends_on))
            for p in session.scalars(
                sa.select(Permission).where(
                    Permission.school_id == school.id, Permission.took_effect()
                )
            )
        ),
        bodies=tuple(bodies.values()),
        cooperations=tuple(
            rules.Cooperation(bodies[c.body_id].uscc, Period(c.starts_on, c.ends_on))
            for c in session.scalars(
                sa.select(Cooperation).where(Cooperation.school_id == school.id)
            )
        ),
        students=tuple(_students(session, school.id, roster_id, specialties, restrictions)),
    )


Restrictions = dict[tuple[str, Any], tuple[Period, ...]]


def _restrictions(session: Session) -> Restrictions:
    found: dict[tuple[str, Any], list[Period]] = defaultdict(list)
    for restriction in session.scalars(sa.select(Restriction)):
        period = Period(restriction.starts_on, restriction.ends_on)
        for kind, subject in (
            ("school", restriction.school_id),
            ("body", restriction.body_id),
            ("person", restriction.document_index),
        ):
            if subject is not None:
                found[kind, subject].append(period)
    return {subject: tuple(periods) for subject, periods in found.items()}


def _school(
    school: School,
    specialties: Iterable[Specialty],
    bodies: dict[int, rules.Body],
    restrictions: Restrictions,
) -> rules.School:
    return rules.School(
        uscc=school.uscc,
        name=school.name,
        account=rules.Account(school.opened_on, school.stopped_on),
        restrictions=restrictions.get(("school", school.id), ()),
        chosen_bodies={
            (s.code, s.training_level): bodies[s.chosen_body_id].uscc
            for s in specialties
            if s.chosen_body_id is not None
        },
    )


def _bodies(session: Session, restrictions: Restrictions) -> dict[int, rules.Body]:
    carried: dict[int, dict[Project, rules.Basis]] = defaultdict(dict)
    for line in session.scalars(sa.select(BodyProject)):
        carried[line.body_id][line.project] = line.basis
    return {
        body.id: rules.Body(
            uscc=body.uscc,
            name=body.name,
            type=body.type,
            filing=Period(body.filed_from, body.filed_until),
            state=body.state,
            state_date=body.state_on,
            projects=carried[body.id],
            restrictions=restrictions.get(("body", body.id), ()),
        )
        for body in session.scalars(sa.select(Body).order_by(Body.uscc))
    }


def _lines(session: Session, specialties: dict[int, Specialty]) -> tuple[rules.EvaluationLine, ...]:
    return tuple(
        rules.EvaluationLine(
            specialties[line.specialty_id].code,
            specialties[line.specialty_id].training_level,
            line.project,
            Period(line.starts_on, line.ends_on),
        )
        for line in session.scalars(
            sa.select(EvaluationLine).where(
                EvaluationLine.specialty_id.in_(specialties), EvaluationLine.took_effect()
            )
        )
    )


def _wished(session: Session, school_id: int, roster_id: int | None) -> dict[int, tuple[Any, ...]]:
    """The wish of each student: the roster's, or the one saved last."""
    query = sa.select(
        SavedWish.student_id,
        SavedWish.route,
        SavedWish.occupation_code,
        SavedWish.occupation,
        SavedWish.direction,
        SavedWish.level,
        SavedWish.body_uscc,
    )
    if roster_id is not None:
        query = query.where(SavedWish.roster_id == roster_id)
    else:
        latest = (
            sa.select(sa.func.max(SavedWish.id))
            .join(Student, Student.id == SavedWish.student_id)
            .where(Student.school_id == school_id)
            .group_by(SavedWish.student_id)
        )
        query = query.where(SavedWish.id.in_(latest))
    return {row[0]: tuple(row)[1:] for row in session.execute(query)}


class _Applications:
    """The certificates and open applications of a school's students, by person."""

    def __init__(self, session: Session, school_id: int) -> None:
        self.certificates: dict[bytes, set[Project]] = defaultdict(set)
        self.open_elsewhere: dict[bytes, set[Project]] = defaultdict(set)
        self.held: dict[bytes, dict[Project, int]] = defaultdict(dict)
        persons = sa.select(Student.document_index).where(Student.school_id == school_id)
        found = session.execute(
            sa.select(ApplicationMember, GroupApplication.school_id)
            .join(GroupApplication, GroupApplication.id == ApplicationMember.application_id)
            .where(
                ApplicationMember.document_index.in_(persons),
                sa.or_(ApplicationMember.is_open, ApplicationMember.state == MemberState.PASSED),
            )
        )
        for member, at_school in found:
            person, project = member.document_index, member.project
            if member.state is MemberState.PASSED:
                self.certificates[person].add(project)
            elif at_school == school_id:
                self.held[person][project] = member.application_id
            else:
                self.open_elsewhere[person].add(project)


def _students(
    session: Session,
    school_id: int,
    roster_id: int | None,
    specialties: dict[int, Specialty],
    restrictions: Restrictions,
) -> Iterable[rules.Student]:
    wishes = _wished(session, school_id, roster_id)
    applications = _Applications(session, school_id)
    query = sa.select(
        Student.id,
        Student.student_no,
        Student.document_index,
        Student.training_level,
        Student.specialty_id,
        Student.graduates_on,
        Student.enrolment_status,
        Student.study_mode,
    ).where(Student.school_id == school_id)
    one_wish: dict[tuple[Any, ...], Wish] = {}
    for row in session.execute(query):
        wish = wishes.get(row.id)
        if wish is None and roster_id is not None:
            continue
        person = row.document_index
        specialty = specialties[row.specialty_id]
        yield rules.Student(
            student_no=row.student_no,
            person=person.hex(),
            training_level=row.training_level,
            specialty_code=specialty.code,
            specialty_name=specialty.name,
            graduates_on=row.graduates_on,
            enrolment_status=row.enrolment_status,
            study_mode=row.study_mode,
            wish=UNWISHED if wish is None else one_wish.setdefault(wish, _wish(*wish)),
            certificates=frozenset(applications.certificates.get(person, ())),
            open_elsewhere=frozenset(applications.open_elsewhere.get(person, ())),
            held=applications.held.get(person, {}),
            restrictions=restrictions.get(("person", person), ()),
        )


def _wish(
    route: Route, code: str, occupation: str, direction: str, level: int | None, body: str
) -> Wish:
    return Wish(
        route=route,
        code=code,
        occupation=occupation,
        direction=direction,
        level=None if level is None else Level(level),
        body=body or None,
    )
