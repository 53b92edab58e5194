"""Applications for evaluation as a school handed them in, experts, and the offices' people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count

from sqlalchemy.orm import Session

from school_portal.domain.levels import TrainingLevel
from school_portal.domain.specialty_evaluation import EvaluationState, LineState
from school_portal.domain.workflow import Role
from school_portal.models import (
    EvaluationLine,
    Expert,
    PanelMember,
    School,
    Specialty,
    SpecialtyEvaluation,
    User,
)
from school_portal.services import opinions, panels, receiving, sealing
from school_portal.services.access import Actor
from school_portal.services.portal import Portal
from tests.factories.evaluations import Desk
from tests.factories.operation import DRINKS, NURSE
from tests.factories.visitor import user

ARRIVED = datetime(2026, 10, 14, 1, 0, tzinfo=UTC)
_NUMBERS = count(1)


def submitted(
    session: Session,
    school: School,
    level: TrainingLevel = TrainingLevel.SECONDARY,
    state: EvaluationState = EvaluationState.SUBMITTED,
) -> SpecialtyEvaluation:
    """An application with two lines for one specialty, handed in the day before."""
    number = next(_NUMBERS)
    specialty = Specialty(
        school_id=school.id, code=f"7{number:05d}", name="医养烹饪", training_level=level
    )
    session.add(specialty)
    session.flush()
    made = SpecialtyEvaluation(
        number=f"PG2026{number:06d}",
        school_id=school.id,
        training_level=level,
        state=state,
        legal_representative="示例校长",
        leader="示例分管",
        contact="示例联系",
        address="示例路 1 号",
        school_opinion="同意申请",
        created_at=ARRIVED,
        saved_at=ARRIVED,
        arrived_at=None if state is EvaluationState.DRAFT else ARRIVED,
        lines=[
            EvaluationLine(
                specialty=specialty, position=place, level=4, state=LineState.PENDING, **project
            )
            for place, project in enumerate((NURSE, DRINKS), 1)
        ],
    )
    session.add(made)
    session.flush()
    return made


def expert(
    session: Session,
    portal: Portal,
    username: str,
    *,
    employer: str = "示例研究所",
    employer_uscc: str = "",
    fields: Sequence[str] = ("调饮师",),
) -> Expert:
    """An expert of the pool, who can sign in; the name is the username."""
    person = user(session, portal, username, role=Role.EXPERT)
    person.name = username
    made = Expert(user=person, employer=employer, employer_uscc=employer_uscc, fields=list(fields))
    session.add(made)
    session.flush()
    return made


def officer(session: Session, portal: Portal, role: Role) -> Actor:
    """A person of the office, as an actor; the username is the role's."""
    found = session.query(User).filter_by(username=role.value).one_or_none()
    return Actor.of(found or user(session, portal, role.value, role=role))


def acting(member: PanelMember) -> Actor:
    """The expert on that place."""
    return Actor.of(member.expert.user)


def under_review(
    session: Session, portal: Portal, evaluation: SpecialtyEvaluation, experts: Sequence[Expert]
) -> list[PanelMember]:
    """Accepted, and a panel of those experts convened."""
    receiver = officer(session, portal, receiving.RECEIVERS[evaluation.training_level])
    receiving.accept(session, portal, receiver, evaluation)
    centre = officer(session, portal, Role.CENTRE)
    panel = panels.convene(session, portal, centre, evaluation, [one.id for one in experts])
    session.commit()
    return panel.members


def judge(session: Session, portal: Portal, member: PanelMember, *votes: bool) -> None:
    """The expert finishes, with a vote for each line in turn."""
    lines = member.panel.evaluation.lines
    held = {
        line.id: (vote, f"{member.expert.user.name}的理由{line.position}")
        for line, vote in zip(lines, votes, strict=True)
    }
    opinions.record_opinions(session, portal, acting(member), member, held, finish=True)
    session.commit()


def stages(session: Session, portal: Portal, school: School) -> None:
    """One application in each stage at the offices, in order, and the experts e0 to e4.

    Resubmitted, accepted, under review with a recused expert, its opinion recorded, sealed.
    """
    desk = Desk.of(session, portal, school)
    pool = [expert(session, portal, f"e{number}") for number in range(4)]
    pool.append(expert(session, portal, "e4", employer=school.name))
    receiver = officer(session, portal, Role.TEACHING_OFFICE)
    centre = officer(session, portal, Role.CENTRE)
    made = []
    for _ in range(5):
        made.append(desk.complete())
        desk.submit(made[-1])
    contact = receiving.Unlocked(fields=frozenset({"contact"}))
    receiving.return_for_correction(session, portal, receiver, made[0], contact, "请更正联系人")
    desk.save(made[0], contact="丁老师")
    desk.submit(made[0])
    receiving.accept(session, portal, receiver, made[1])
    members = under_review(session, portal, made[2], pool[:3])
    panels.recuse(session, portal, centre, members[2], "曾与申请学校合作编写教材")
    for case in made[3:]:
        for member in list(under_review(session, portal, case, [pool[0], pool[1], pool[3]])):
            judge(session, portal, member, True)
    for actor in (receiver, centre):
        sealing.seal(session, portal, actor, made[4])
    session.commit()
