"""A case's moves: guarded, on record, and one of two at once."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from school_portal.domain.identifiers import DocumentType
from school_portal.domain.levels import TrainingLevel
from school_portal.domain.roster import Enrolment, StudyMode
from school_portal.domain.specialty_evaluation import (
    EVALUATION_WORKFLOW,
    EvaluationAction,
    EvaluationState,
)
from school_portal.domain.workflow import Role
from school_portal.extensions import db
from school_portal.models import AuditEvent, SpecialtyEvaluation, Student, User
from school_portal.security import audit
from school_portal.services.access import Actor, Refused
from school_portal.services.portal import Portal
from school_portal.services.transitions import apply, history
from tests.factories.operation import running
from tests.factories.visitor import user


@pytest.fixture
def officer(session: Session, portal: Portal) -> User:
    return user(session, portal, "officer", role=Role.TEACHING_OFFICE)


@pytest.fixture
def case(session: Session, portal: Portal) -> SpecialtyEvaluation:
    made = SpecialtyEvaluation(
        school=running(session).school,
        training_level=TrainingLevel.SECONDARY,
        state=EvaluationState.SUBMITTED,
        created_at=portal.clock(),
        saved_at=portal.clock(),
    )
    session.add(made)
    session.commit()
    return made


def accept(session: Session, portal: Portal, case: SpecialtyEvaluation, officer: User) -> None:
    apply(
        session,
        EVALUATION_WORKFLOW,
        case,
        EvaluationAction.ACCEPT,
        Role.TEACHING_OFFICE,
        actor=Actor.of(officer),
        at=portal.clock(),
        reason="材料齐全",
    )


def test_a_move_is_in_the_history_and_in_the_audit_chain(
    session: Session, portal: Portal, case: SpecialtyEvaluation, officer: User
) -> None:
    accept(session, portal, case, officer)
    session.commit()

    (change,) = history(session, case.subject)
    assert (change.user, change.role) == (officer, Role.TEACHING_OFFICE)
    assert (change.source, change.target) == ("submitted", "accepted")
    assert (change.at, change.reason) == (portal.clock(), "材料齐全")
    event = session.scalars(
        sa.select(AuditEvent).where(AuditEvent.action == "evaluation.accept")
    ).one()
    assert (event.actor, event.subject) == (f"user:{officer.id}", case.subject)
    assert "材料齐全" not in str(event.detail)
    assert list(audit.verify(session)) == []


def test_what_is_rolled_back_leaves_nothing(
    session: Session, portal: Portal, case: SpecialtyEvaluation, officer: User
) -> None:
    accept(session, portal, case, officer)
    session.rollback()
    assert case.state is EvaluationState.SUBMITTED
    assert history(session, case.subject) == []


def test_of_two_officers_one_wins_and_the_other_is_told_who_and_when(
    session: Session, portal: Portal, case: SpecialtyEvaluation, officer: User
) -> None:
    key, officer_id = case.id, officer.id
    session.commit()
    with Session(db.engine, expire_on_commit=False) as other:
        as_read_before = other.get_one(SpecialtyEvaluation, key)
        other.commit()

        accept(session, portal, case, officer)
        session.commit()

        with pytest.raises(Refused, match="市教委教研室的张老师已于 2026-10-15 10:00 进行“受理”"):
            accept(other, portal, as_read_before, other.get_one(User, officer_id))
        other.rollback()
    assert len(history(session, case.subject)) == 1


def test_what_the_table_does_not_list_is_refused(
    session: Session, portal: Portal, case: SpecialtyEvaluation, officer: User
) -> None:
    accept(session, portal, case, officer)
    with pytest.raises(Refused, match=r"当前状态为“已受理”，不能进行“受理”。.*张老师"):
        accept(session, portal, case, officer)


@pytest.mark.parametrize("status", [status for status in Enrolment if status.holds])
def test_a_person_is_held_by_one_school_whatever_runs_beside(
    session: Session, portal: Portal, status: Enrolment
) -> None:
    operation = running(session)
    for school in (operation.school, operation.other):
        specialty = school.specialties[0]
        session.add(
            Student(
                school_id=school.id,
                specialty_id=specialty.id,
                student_no="1",
                name="学生",
                document_type=DocumentType.RESIDENT_ID,
                document_index=bytes(32),
                document_sealed=b"",
                mobile_index=bytes(32),
                mobile_sealed=b"",
                training_level=specialty.training_level,
                graduates_on=date(2027, 6, 30),
                enrolment_status=status,
                study_mode=StudyMode.FULL_TIME,
                created_at=portal.clock(),
                updated_at=portal.clock(),
            )
        )
    with pytest.raises(IntegrityError):
        session.flush()
