"""A whole season: after each step the plan says what the rules say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
from sqlalchemy.orm import Session

from school_portal.domain.facts import Basis
from school_portal.domain.levels import Level, TrainingLevel
from school_portal.domain.projects import Project
from school_portal.domain.specialty_evaluation import EvaluationState
from school_portal.domain.workflow import Role
from school_portal.models import (
    BodyProject,
    Expert,
    Permission,
    School,
    Specialty,
    SpecialtyEvaluation,
)
from school_portal.services import (
    applications,
    extra_windows,
    panels,
    permissions,
    receiving,
    school_accounts,
    sealing,
)
from school_portal.services.access import Actor, NotFound, Refused
from school_portal.services.portal import Portal
from tests.conftest import FakeClock
from tests.factories.accounts import asked_for
from tests.factories.evaluation import expert, judge, officer, under_review
from tests.factories.evaluations import Desk
from tests.factories.operation import NURSE, Operation, a_school, running, student
from tests.integration.test_rosters import saved

NURSE_4 = Project("4-14-01-02", "医疗护理员", "", Level.INTERMEDIATE)
NURSE_3 = Project("4-14-01-02", "医疗护理员", "", Level.SENIOR)


@dataclass
class Season:
    """Two schools, both offices, the centre, five experts."""

    session: Session
    portal: Portal
    operation: Operation
    college: School
    experts: list[Expert]
    teaching: Actor
    vocational: Actor
    centre: Actor

    def reasons(self, school: School, on: date | None = None) -> list[str]:
        """Why the school's one student is left out; nothing where the student is in."""
        plan = applications.plan_document(
            self.session, self.portal, school, on or self.portal.today()
        )
        return [reason["code"] for one in plan["excluded"] for reason in one["reasons"]]

    def handed_in(
        self, school: School, level: TrainingLevel, project: Project
    ) -> SpecialtyEvaluation:
        desk = Desk.of(self.session, self.portal, school)
        made = desk.complete() if level is TrainingLevel.SECONDARY else self._of_college(desk)
        for line in list(made.lines):
            line.level, line.occupation_code = int(project.level), project.code
            line.occupation = project.occupation
        desk.submit(made)
        self.session.commit()
        return made

    def _of_college(self, desk: Desk) -> SpecialtyEvaluation:
        made = desk.draft(TrainingLevel.HIGHER)
        fields = dict.fromkeys(
            ("legal_representative", "leader", "contact", "address", "school_opinion"), "示例"
        )
        desk.save(made, leader_phone="13800000001", contact_phone="13800000002", **fields)
        desk.add(made, NURSE_3)
        desk.attach(made)
        return made


@pytest.fixture
def season(session: Session, portal: Portal) -> Season:
    operation = running(session)
    college = a_school(3, "示例职业技术学院")
    college.training_levels = "higher"
    session.add(college)
    session.flush()
    session.add(
        Specialty(
            school_id=college.id, code="490201", name="护理", training_level=TrainingLevel.HIGHER
        )
    )
    for level in (4, 3):
        session.add(
            BodyProject(body_id=operation.social.id, basis=Basis.STANDARD, level=level, **NURSE)
        )
    pool = [expert(session, portal, f"expert-{number}") for number in range(1, 5)]
    pool.append(expert(session, portal, "expert-5", employer=operation.school.name))
    offices = (
        officer(session, portal, role)
        for role in (Role.TEACHING_OFFICE, Role.VOCATIONAL_DIVISION, Role.CENTRE)
    )
    session.commit()
    return Season(session, portal, operation, college, pool, *offices)


def test_from_an_application_to_a_place_in_the_plan_and_out_again(
    session: Session, portal: Portal, season: Season
) -> None:
    school = season.operation.school
    wish = {"职业": "医疗护理员", "等级": "四级"}
    saved(session, portal, school, [student(1, **wish)])
    assert season.reasons(school) == ["EVALUATED", "PERMITTED"]

    case = season.handed_in(school, TrainingLevel.SECONDARY, NURSE_4)
    under_review(session, portal, case, season.experts[:3])
    assert case.panel is not None
    for member in list(case.panel.members):
        judge(session, portal, member, True)
    assert case.state is EvaluationState.OPINION_RECORDED
    assert season.reasons(school) == ["EVALUATED", "PERMITTED"]

    sealing.seal(session, portal, season.centre, case)
    session.commit()
    assert season.reasons(school) == ["EVALUATED", "PERMITTED"]
    sealing.seal(session, portal, season.teaching, case)
    session.commit()
    assert season.reasons(school) == ["PERMITTED"]

    asked_for(session, portal, school, NURSE_4)
    session.commit()
    assert season.reasons(school) == ["PERMITTED"]
    (asked,) = session.query(Permission).filter(Permission.request_id.is_not(None))
    permissions.grant(session, portal, season.centre, [asked.id])
    session.commit()
    assert season.reasons(school) == []

    school_accounts.suspend(session, portal, season.centre, school, "核查")
    session.commit()
    assert season.reasons(school) == ["ACCOUNT"]
    school_accounts.resume(session, portal, season.centre, school, "核查完毕")
    session.commit()
    assert season.reasons(school) == []

    (line,) = case.lines
    sealing.revoke(session, portal, season.teaching, line, "专业停办")
    session.commit()
    assert season.reasons(school) == ["EVALUATED"]
    permissions.revoke(session, portal, season.centre, [asked.id], "评估结论已撤销")
    session.commit()
    assert season.reasons(school) == ["EVALUATED", "PERMITTED"]


def test_a_college_needs_the_division_alone_and_no_other_office_sees_it(
    session: Session, portal: Portal, season: Season
) -> None:
    row = student(
        1,
        职业="医疗护理员",
        等级="三级",
        培养层次="高职",
        **{"专业代码": "490201", "专业名称*": "护理"},
    )
    saved(session, portal, season.college, [row])
    case = season.handed_in(season.college, TrainingLevel.HIGHER, NURSE_3)
    with pytest.raises(NotFound):
        receiving.one(session, season.teaching, case.id)
    under_review(session, portal, case, season.experts[:3])
    assert case.panel is not None
    for place, member in enumerate(list(case.panel.members)):
        judge(session, portal, member, place < 2)
    assert "EVALUATED" in season.reasons(season.college)
    with pytest.raises(Refused):
        sealing.seal(session, portal, season.centre, case)
    sealing.seal(session, portal, season.vocational, case)
    session.commit()
    assert "EVALUATED" not in season.reasons(season.college)


def test_a_late_school_with_and_without_an_extension(
    session: Session, portal: Portal, season: Season, clock: FakeClock
) -> None:
    late, other = season.operation.school, season.operation.other
    clock.now = datetime(2026, 11, 2, 2, tzinfo=UTC)
    drafts = {}
    for school in (late, other):
        desk = Desk.of(session, portal, school)
        drafts[school.id] = desk.complete()
        with pytest.raises(Refused, match="沪职鉴中心〔2021〕17号 一1"):
            desk.submit(drafts[school.id])
    session.commit()

    extra_windows.open_(
        session, portal, season.teaching, date(2026, 11, 1), date(2026, 11, 5), "材料补送", late
    )
    session.commit()
    Desk.of(session, portal, late).submit(drafts[late.id])
    with pytest.raises(Refused):
        Desk.of(session, portal, other).submit(drafts[other.id])
    clock.now = datetime(2026, 11, 5, 16, tzinfo=UTC)  # 6 November, 0:00 in Shanghai
    again = Desk.of(session, portal, late)
    with pytest.raises(Refused):
        again.submit(again.complete())


def test_conflicts_of_interest_and_a_replacement(
    session: Session, portal: Portal, season: Season
) -> None:
    case = season.handed_in(season.operation.school, TrainingLevel.SECONDARY, NURSE_4)
    own = season.experts[4]
    receiving.accept(session, portal, season.teaching, case)
    session.commit()
    assert own.id not in [one.expert.key for one in panels.propose(session, case)]
    chosen = [one.id for one in season.experts[:2]]
    with pytest.raises(Refused, match="expert-5"):
        panels.convene(session, portal, season.centre, case, [*chosen, own.id])
    panel = panels.convene(session, portal, season.centre, case, [*chosen, season.experts[2].id])
    session.commit()

    first, second, third = panel.members
    panels.recuse(session, portal, Actor.of(third.expert.user), third, "曾在该校任教")
    session.commit()
    for member in (first, second):
        judge(session, portal, member, True)
    assert case.state is EvaluationState.UNDER_PANEL_REVIEW
    with pytest.raises(Refused, match="expert-5"):
        panels.replace(session, portal, season.centre, third, own.id)
    replacement = panels.replace(session, portal, season.centre, third, season.experts[3].id)
    session.commit()
    judge(session, portal, replacement, False)
    assert case.state is EvaluationState.OPINION_RECORDED


def test_a_returned_application_comes_back_after_the_window(
    session: Session, portal: Portal, season: Season, clock: FakeClock
) -> None:
    case = season.handed_in(season.operation.school, TrainingLevel.SECONDARY, NURSE_4)
    receiving.return_for_correction(
        session,
        portal,
        season.teaching,
        case,
        receiving.Unlocked(fields=frozenset({"address"})),
        "地址不全",
        date(2026, 11, 10),
    )
    session.commit()
    clock.now = datetime(2026, 11, 10, 15, 59, 59, 999999, tzinfo=UTC)
    desk = Desk.of(session, portal, season.operation.school)
    with pytest.raises(Refused):
        desk.save(case, leader="另一位")
    desk.save(case, address="上海市示例路 2 号 3 楼")
    desk.submit(case)
    session.commit()
    assert (case.state, len(case.submissions)) == (EvaluationState.SUBMITTED, 2)
    assert case.number == "PG2026000001"
