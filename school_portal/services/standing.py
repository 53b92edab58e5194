"""Where a school stands on its way from the evaluation to the signed application."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.account import AccountState, OpeningState
from school_portal.domain.group_application import ApplicationState
from school_portal.domain.permission import PermissionState
from school_portal.domain.projects import Project
from school_portal.domain.roster import RosterState
from school_portal.domain.specialty_evaluation import EvaluationState
from school_portal.domain.windows import Period
from school_portal.models import (
    GroupApplication,
    Permission,
    Roster,
    School,
    SpecialtyEvaluation,
    Student,
)
from school_portal.security.vault import Vault
from school_portal.services import account_openings, students
from school_portal.services.school_accounts import state_of
from school_portal.services.school_desk import SpecialtyLines
from school_portal.services.students import Wanted

UNFINISHED = (
    RosterState.UPLOADED,
    RosterState.READING,
    RosterState.CHECKED,
    RosterState.CONFIRMED,
)
HELD = (ApplicationState.DRAFT, ApplicationState.WITHDRAWN)  # by the school, or by nobody


@dataclass(frozen=True, slots=True)
class Standing:
    """What is there of each step, and what is left of it.

    `evaluated` and `unevaluated` count specialties with and without a conclusion in force: those
    that have students, all where there are none. `unpermitted` are evaluated projects for which
    no permission is in force or asked for. `left` students are in no application; `generated`
    says that applications were made since the last roster was saved, so that the rest are those
    whom the rules keep out.
    """

    evaluations: Mapping[EvaluationState, int]
    evaluated: int
    unevaluated: int
    account: AccountState
    opening: OpeningState | None
    permitted: int
    asked: int
    unpermitted: int
    rosters: Sequence[Roster]
    students: int
    left: int
    generated: bool
    drafts: int
    handed_in: int


def standing(
    session: Session,
    vault: Vault,
    school: School,
    specialties: Sequence[SpecialtyLines],
    on: date,
) -> Standing:
    """Everything the school's home needs, in a handful of counts."""
    evaluated = {one.specialty.id: any(good for _, good in one.lines) for one in specialties}
    having = _with_students(session, school) or set(evaluated)
    permitted, asked = _permissions(session, school, on)
    projects = {line.project for one in specialties for line, good in one.lines if good}
    opening = account_openings.unfinished(session, school)
    counted = students.counts(session, vault, school, Wanted())
    applications = _by_state(session, GroupApplication, school)
    return Standing(
        evaluations=_by_state(session, SpecialtyEvaluation, school),
        evaluated=sum(evaluated.values()),
        unevaluated=sum(not evaluated.get(key) for key in having),
        account=state_of(session, school, on),
        opening=opening.state if opening else None,
        permitted=len(permitted),
        asked=len(asked),
        unpermitted=len(projects - permitted - asked),
        rosters=_unfinished(session, school),
        students=counted["all"],
        left=counted["left"],
        generated=_generated(session, school),
        drafts=applications.get(ApplicationState.DRAFT, 0),
        handed_in=sum(number for state, number in applications.items() if state not in HELD),
    )


def _with_students(session: Session, school: School) -> set[int]:
    found = sa.select(Student.specialty_id).where(Student.school_id == school.id).distinct()
    return set(session.scalars(found))


def _permissions(session: Session, school: School, on: date) -> tuple[set[Project], set[Project]]:
    """The projects permitted on that day, and those asked for."""
    found = session.scalars(sa.select(Permission).where(Permission.school_id == school.id)).all()
    granted = {
        one.project
        for one in found
        if one.state is PermissionState.GRANTED and Period(one.starts_on, one.ends_on).covers(on)
    }
    return granted, {one.project for one in found if one.state is PermissionState.REQUESTED}


def _by_state(
    session: Session, model: type[GroupApplication | SpecialtyEvaluation], school: School
) -> dict[Any, int]:
    counted = sa.select(model.state, sa.func.count()).where(model.school_id == school.id)
    return dict(session.execute(counted.group_by(model.state)).all())


def _unfinished(session: Session, school: School) -> Sequence[Roster]:
    return session.scalars(
        sa.select(Roster)
        .where(Roster.school_id == school.id, Roster.state.in_(UNFINISHED))
        .order_by(Roster.uploaded_at.desc(), Roster.id.desc())
    ).all()


def _generated(session: Session, school: School) -> bool:
    made = session.scalar(
        sa.select(sa.func.max(GroupApplication.created_at)).where(
            GroupApplication.school_id == school.id
        )
    )
    saved = session.scalar(
        sa.select(sa.func.max(Roster.applied_at)).where(Roster.school_id == school.id)
    )
    return made is not None and (saved is None or made >= saved)
