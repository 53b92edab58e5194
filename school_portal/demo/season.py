"""A season of the demonstration: applications in every state, as offices and schools made them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from io import BytesIO

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.demo import programmes
from school_portal.demo.operation import COLLEGE, DRINKS, KEYS, NEWCOMER, NURSE, SECONDARY, TABLETS
from school_portal.demo.people import EXPERTS
from school_portal.demo.rosters import resident_id
from school_portal.domain.facts import Node
from school_portal.domain.levels import Level, TrainingLevel
from school_portal.domain.projects import Project
from school_portal.domain.windows import TZ
from school_portal.domain.workflow import Role
from school_portal.models import Expert, School, SpecialtyEvaluation, User
from school_portal.services import (
    account_openings,
    evaluations,
    experts,
    extra_windows,
    opinions,
    panels,
    permission_requests,
    receiving,
    sealing,
    submissions,
    training_programmes,
)
from school_portal.services.access import Actor, school_of
from school_portal.services.portal import Portal
from school_portal.services.windows import window_at

EXTENSION_DAYS = 14
REVIEW_DAYS = 3  # from today on: a deadline that is near
FIELDS = {
    "legal_representative": "示例校长",
    "leader": "示例分管领导",
    "leader_phone": "021-60000001",
    "contact": "示例联系人",
    "contact_phone": "13900000001",
    "address": "上海市示例路 1 号",
    "school_opinion": "同意申请。",
}


def _project(occupation: tuple[str, str, str], level: int) -> Project:
    return Project(*occupation, Level(level))


@dataclass
class Season:
    """The window that was open last, and whoever acts in it."""

    session: Session
    portal: Portal
    starts: datetime
    people: Mapping[str, Actor]

    def at(self, days: int) -> Portal:
        """The portal on that day of the season, never later than now."""
        instant = min(self.starts + timedelta(days=days, hours=10), self.portal.clock())
        return replace(self.portal, clock=lambda: instant)

    def submitted(
        self,
        days: int,
        school: School,
        level: TrainingLevel,
        lines: Mapping[str, Project],
    ) -> SpecialtyEvaluation:
        """An application of the school for those projects, by the specialty's code."""
        case = self.written(days, school, level, lines)
        portal = self.at(days)
        submissions.submit(self.session, portal, self.operator(school), case, portal.clock())
        return case

    def written(
        self, days: int, school: School, level: TrainingLevel, lines: Mapping[str, Project]
    ) -> SpecialtyEvaluation:
        """A draft, filled in."""
        session, portal, actor = self.session, self.at(days), self.operator(school)
        case = evaluations.draft(session, portal, actor, school, level)
        evaluations.save(session, portal, actor, case, FIELDS, case.version)
        specialties = {one.code: one for one in school.specialties if one.training_level is level}
        for code, project in lines.items():
            specialty = specialties[code]
            evaluations.add_line(session, portal, actor, case, specialty.id, project)
            training_programmes.attach(
                session,
                portal,
                actor,
                case,
                specialty.id,
                BytesIO(programmes.sheet(specialty.name)),
                f"{specialty.name}人才培养方案.pdf",
            )
        return case

    def operator(self, school: School) -> Actor:
        return self.people[school.uscc]

    def office(self, case: SpecialtyEvaluation) -> Actor:
        higher = case.training_level is TrainingLevel.HIGHER
        return self.people["vocational" if higher else "teaching"]

    def accepted(self, days: int, case: SpecialtyEvaluation) -> SpecialtyEvaluation:
        receiving.accept(self.session, self.at(days), self.office(case), case)
        return case

    def under_review(self, days: int, case: SpecialtyEvaluation) -> SpecialtyEvaluation:
        """With the panel that the portal proposes."""
        proposed = panels.propose(self.session, case)
        ids = [one.expert.key for one in proposed]
        due = self.portal.today() + timedelta(days=REVIEW_DAYS)
        panels.convene(self.session, self.at(days), self.people["centre"], case, ids, due)
        return case

    def judged(
        self, days: int, case: SpecialtyEvaluation, approves: bool = True
    ) -> SpecialtyEvaluation:
        """By every expert of the panel."""
        reason = "课程设置覆盖职业标准。" if approves else "实训课时不足职业标准的要求。"
        if case.panel is None:
            raise RuntimeError("no panel was convened")
        for member in panels.active(case.panel):
            actor = Actor.of(member.expert.user)
            opinion = {line.id: (approves, reason) for line in case.lines}
            opinions.record_opinions(
                self.session, self.at(days), actor, member, opinion, finish=True
            )
        self.session.refresh(case)
        return case

    def sealed(self, days: int, case: SpecialtyEvaluation, *names: str) -> SpecialtyEvaluation:
        for name in names:
            sealing.seal(self.session, self.at(days), self.people[name], case)
        return case


def play(session: Session, portal: Portal, passwords: Mapping[str, str]) -> None:
    """The season, once: whoever starts the demonstration again finds it as it was left."""
    if session.scalar(sa.select(sa.func.count()).select_from(SpecialtyEvaluation)):
        return
    season = Season(session, portal, _season_start(portal), _people(session))
    _experts(season, passwords)
    _secondary(season, school_of(session, SECONDARY.uscc))
    _college(season, school_of(session, COLLEGE.uscc))
    _accounts(season)
    _extensions(season)


def _season_start(portal: Portal) -> datetime:
    """The first of April or October that was last."""
    today = portal.today()
    month = 10 if today.month >= 10 else 4
    year = today.year if today.month >= 4 else today.year - 1
    month = month if today.month >= 4 else 10
    return datetime(year, month, 1, tzinfo=TZ)


def _people(session: Session) -> dict[str, Actor]:
    users = session.scalars(sa.select(User)).all()
    offices = {
        Role.TEACHING_OFFICE: "teaching",
        Role.VOCATIONAL_DIVISION: "vocational",
        Role.CENTRE: "centre",
    }
    found = {offices[user.role]: Actor.of(user) for user in users if user.role in offices}
    return found | {user.school.uscc: Actor.of(user) for user in users if user.school}


def _experts(season: Season, passwords: Mapping[str, str]) -> None:
    known = set(season.session.scalars(sa.select(User.username).join(Expert)))
    for username, (name, employer, fields) in EXPERTS.items():
        if username not in known:
            experts.add(
                season.session,
                season.at(0),
                season.people["centre"],
                experts.Profile(employer, "", fields),
                username=username,
                name=name,
                password=passwords[username],
            )


def _secondary(season: Season, school: School) -> None:
    """One application in each state, all of the same school."""
    level, cooking, nursing = TrainingLevel.SECONDARY, "740201", "720101"
    session = season.session

    def handed_in(days: int, code: str, project: Project) -> SpecialtyEvaluation:
        return season.submitted(days, school, level, {code: project})

    case = handed_in(0, cooking, _project(DRINKS, 5))
    season.judged(6, season.under_review(3, season.accepted(1, case)))
    season.sealed(8, case, "centre", "teaching")
    case = handed_in(1, nursing, _project(NURSE, 5))
    season.sealed(9, season.judged(7, season.under_review(4, season.accepted(2, case))), "centre")
    case = handed_in(2, nursing, _project(DRINKS, 5))
    season.judged(9, season.under_review(5, season.accepted(3, case)), approves=False)
    season.under_review(8, season.accepted(4, handed_in(3, cooking, _project(NURSE, 5))))
    season.accepted(9, handed_in(6, cooking, _project(TABLETS, 5)))
    office = season.people["teaching"]
    refused = handed_in(7, nursing, _project(TABLETS, 5))
    reason = "该专业与所申报职业不相关，请选择相近的专业。"
    receiving.refuse(session, season.at(9), office, refused, reason)
    withdrawn = handed_in(8, nursing, _project(TABLETS, 4))
    reason = "专业调整，暂不申请。"
    submissions.withdraw(session, season.at(9), season.operator(school), withdrawn, reason)
    returned = handed_in(9, cooking, _project(TABLETS, 4))
    unlocked = receiving.Unlocked(
        fields=frozenset({"school_opinion"}), lines=frozenset(line.id for line in returned.lines)
    )
    receiving.return_for_correction(
        session,
        season.portal,
        office,
        returned,
        unlocked,
        "请核对所申报的等级，并补充学校意见。",
        season.portal.today() + timedelta(days=EXTENSION_DAYS),  # no year need be loaded for it
    )
    handed_in(10, nursing, _project(DRINKS, 4))
    season.written(12, school, level, {cooking: _project(NURSE, 4)})


def _college(season: Season, school: School) -> None:
    """Of both training levels: an application for each office."""
    case = season.submitted(2, school, TrainingLevel.HIGHER, {"490201": _project(TABLETS, 4)})
    season.judged(9, season.under_review(5, season.accepted(3, case)))
    season.submitted(6, school, TrainingLevel.HIGHER, {"490201": _project(DRINKS, 3)})
    season.submitted(6, school, TrainingLevel.SECONDARY, {"690206": _project(DRINKS, 4)})


def _accounts(season: Season) -> None:
    """A school that asks for its account, and permissions that wait for the centre."""
    session, newcomer = season.session, school_of(season.session, NEWCOMER.uscc)
    actor = season.operator(newcomer)
    opening = account_openings.start(session, season.at(4), actor, newcomer)
    account_openings.save(
        session,
        season.at(4),
        opening,
        account_openings.Entry(
            legal_representative="示例校长",
            district="静安区",
            leader="示例分管领导",
            leader_mobile="13900000002",
            contact="示例联系人",
            contact_mobile="13900000003",
            operator="示例操作人员",
            operator_document=resident_id(season.portal.today(), 20 * 365, 7).number,
            key_id=KEYS["school-3"],
            opinion="同意申请。",
            handler="示例经办人",
            handled_on=season.at(4).today(),
            lines=(_project(DRINKS, 4),),
        ),
    )
    account_openings.request(session, season.at(4), actor, opening, season.at(4).clock())
    secondary = school_of(session, SECONDARY.uscc)
    permission_requests.request(
        session,
        season.at(9),
        season.operator(secondary),
        secondary,
        permission_requests.Wanted(Node.SOCIAL, [_project(DRINKS, 5), _project(NURSE, 5)]),
        season.at(9).clock(),
    )


def _extensions(season: Season) -> None:
    """Outside April and October both offices receive for two weeks more, so that one can try."""
    portal, until = season.portal, season.portal.today() + timedelta(days=EXTENSION_DAYS)
    for name, level in (
        ("teaching", TrainingLevel.SECONDARY),
        ("vocational", TrainingLevel.HIGHER),
    ):
        if not window_at(season.session, portal.clock(), level, None).open:
            extra_windows.open_(
                season.session,
                portal,
                season.people[name],
                portal.today(),
                until,
                "演示：延长受理期限",
            )
