"""A group application signed with the school's key and submitted (rulebook 7; contract)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.eligibility import Excluded, Judge
from school_portal.domain.group_application import APPLICATION_WORKFLOW, ApplicationAction
from school_portal.domain.roster import Route, Wish
from school_portal.domain.texts import trimmed
from school_portal.domain.violations import Reason, policy_clause
from school_portal.domain.windows import civil_date
from school_portal.domain.workflow import Role
from school_portal.models import ApplicationMember, GroupApplication, School
from school_portal.services import facts, policies, signed_papers
from school_portal.services.access import Actor, NotFound, Refused, hold, lock
from school_portal.services.portal import Portal
from school_portal.services.signed_contents import of_application
from school_portal.services.signed_papers import Paper, Signed
from school_portal.services.transitions import apply


class NoLongerEligible(Refused):
    """Students of the application may not apply any more, each with every reason."""

    def __init__(self, students: Sequence[tuple[str, Sequence[Reason]]]) -> None:
        self.students = students  # by student number
        told = "".join(
            f"学号 {number}：" + "".join(f"{one.message}（{one.clause}）" for one in reasons)
            for number, reasons in students
        )
        super().__init__(f"有 {len(students)} 名学生现在不能申报，全部没有提交。{told}")


def submit(
    session: Session,
    portal: Portal,
    actor: Actor,
    application: GroupApplication,
    signed: Signed | None,
    arrived_at: datetime,
) -> None:
    """Judge everything again as of the day of arrival, then sign and submit in one step.

    Raises NotSigned for the key; NoLongerEligible; Refused where submission is off, there is no
    signature, or the application is no draft any more.
    """
    school = _alone(session, actor, application)
    table = APPLICATION_WORKFLOW.table
    if (application.state, ApplicationAction.SIGN, Role.SCHOOL) in table:
        content = of_application(session, portal.vault, application)
        paper = Paper(application.subject, school.id, content, signed_papers.account_key(school))
        signed_papers.take(session, portal, actor, paper, signed, arrived_at)
        numbers = {student["student_no"] for student in content["students"]}
        _judge(session, school, application, numbers, arrived_at)
    for action in (ApplicationAction.SIGN, ApplicationAction.SUBMIT):
        apply(
            session,
            APPLICATION_WORKFLOW,
            application,
            action,
            Role.SCHOOL,
            actor=actor,
            at=arrived_at,
        )


def _alone(session: Session, actor: Actor, application: GroupApplication) -> School:
    """The actor's school, locked with its application. Raises NotFound for another's."""
    if application.school_id != actor.school_id:
        raise NotFound("GroupApplication")
    school = lock(session, application.school_id)
    hold(session, application)
    return school


def withdraw(
    session: Session, portal: Portal, actor: Actor, application: GroupApplication, reason: str
) -> None:
    """Take the application back: its students are free at once. Raises Refused."""
    _alone(session, actor, application)
    if not trimmed(reason):
        raise Refused("请写明撤回的理由。")
    apply(
        session,
        APPLICATION_WORKFLOW,
        application,
        ApplicationAction.WITHDRAW,
        Role.SCHOOL,
        actor=actor,
        at=portal.clock(),
        reason=trimmed(reason),
    )
    session.execute(
        sa.update(ApplicationMember)
        .where(ApplicationMember.application_id == application.id)
        .values(is_open=False)
    )


def _judge(
    session: Session, school: School, application: GroupApplication, numbers: set[str], at: datetime
) -> None:
    """Every rule, for every student, on the day of arrival. Raises Refused, NoLongerEligible."""
    policy, size = policies.current(session), len(numbers)
    if not 0 < size <= policy.group_size:
        raise Refused(
            f"一份团体申报须有 1 至 {policy.group_size} 名学生，这份有 {size} 名，没有提交，"
            f"请撤回后重新生成。依据：{policy_clause('group_size')}。"
        )
    loaded = facts.load(session, school)
    judge = Judge(loaded, civil_date(at), policy)
    wish = _wish(application)
    outcomes = (
        # What holds the student is this application itself.
        (student.student_no, judge.judge(replace(student, wish=wish, held={})))
        for student in sorted(loaded.students, key=lambda one: one.student_no)
        if student.student_no in numbers
    )
    stopped = [(number, one.reasons) for number, one in outcomes if isinstance(one, Excluded)]
    if stopped:
        raise NoLongerEligible(stopped)


def _wish(application: GroupApplication) -> Wish:
    project, body = application.project, application.body
    return Wish(
        route=Route(application.route),
        code=project.code,
        occupation=project.occupation,
        direction=project.direction,
        level=project.level,
        body=body.uscc if body else None,
    )
