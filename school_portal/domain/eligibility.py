"""Facts in; each student's place or every reason against it out (rulebook 4)."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from school_portal.domain import refusals
from school_portal.domain.facts import (
    Account,
    Basis,
    Body,
    BodyState,
    BodyType,
    Cooperation,
    EvaluationLine,
    Facts,
    Node,
    Permission,
    School,
    Student,
)
from school_portal.domain.levels import TrainingLevel
from school_portal.domain.policy import Policy
from school_portal.domain.projects import Occupation, Project, Register
from school_portal.domain.roster import Enrolment, Route, StudyMode, Wish
from school_portal.domain.violations import Finding, Reason, merge_findings
from school_portal.domain.windows import Period, academic_year

__all__ = [
    "Account",
    "Basis",
    "Body",
    "BodyState",
    "BodyType",
    "Cooperation",
    "EvaluationLine",
    "Excluded",
    "Facts",
    "Held",
    "Judge",
    "Node",
    "Outcome",
    "Permission",
    "Placed",
    "School",
    "Student",
]


@dataclass(frozen=True, slots=True)
class Placed:
    """The student can be applied for; no body on the qualification route."""

    body: Body | None
    route: Route
    project: Project


@dataclass(frozen=True, slots=True)
class Excluded:
    """The student cannot: one reason a rule, in the rulebook's order."""

    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """An open application of the own school already holds the student for what is wished."""

    application: int


Outcome = Placed | Excluded | Held
# None stands for the centre, to which the qualification route is addressed.
_Addressees = tuple[Body | None, ...]


def _matches(wish: Wish, project: Project) -> bool:
    """Whether the project is what the wish names; a direction is compared exactly, even empty."""
    names_direction = wish.code or wish.occupation or wish.direction
    return (
        (not wish.code or wish.code == project.code)
        and (not wish.occupation or wish.occupation == project.occupation)
        and (not names_direction or wish.direction == project.direction)
        and (wish.level is None or wish.level == project.level)
    )


def _restriction(restrictions: tuple[Period, ...], on: date) -> Period | None:
    return next((period for period in restrictions if period.covers(on)), None)


class Judge:
    """One school's facts on one day, indexed once; students alike in all that counts, judged once.

    The outcome of a student depends on nothing but the facts, the day and the policy.
    """

    def __init__(self, facts: Facts, on: date, policy: Policy) -> None:
        self._school = facts.school
        self._on = on
        self._policy = policy
        self._account_open = facts.school.account.is_open(on)
        self._bodies = {body.uscc: body for body in facts.bodies}
        self._carriers: dict[Project, list[Body]] = defaultdict(list)
        for body in sorted(facts.bodies, key=lambda body: body.uscc):
            if body.in_force(on):
                for project in body.projects:
                    self._carriers[project].append(body)
        lines: dict[tuple[str, TrainingLevel], set[Project]] = defaultdict(set)
        for line in facts.lines:
            if line.period.covers(on):
                lines[line.specialty_code, line.training_level].add(line.project)
        self._lines = {key: tuple(sorted(projects)) for key, projects in lines.items()}
        self._permitted = {
            (permission.route, permission.node, permission.project)
            for permission in facts.permissions
            if permission.period.covers(on)
        }
        self._cooperating = {c.body for c in facts.cooperations if c.period.covers(on)}
        self._register = Register(
            [line.project.base for line in facts.lines]
            + [project.base for body in facts.bodies for project in body.projects]
        )
        self._judged: dict[tuple[object, ...], Placed | Excluded] = {}

    def judge(self, student: Student) -> Outcome:
        """The student's place, the reasons against one, or the application that holds it."""
        held = [project for project in student.held if _matches(student.wish, project)]
        if held:
            return Held(student.held[min(held)])
        key = (
            student.training_level,
            student.specialty_code,
            student.specialty_name,
            student.graduates_on,
            student.enrolment_status,
            student.study_mode,
            student.wish,
            student.certificates,
            student.open_elsewhere,
            student.restrictions,
        )
        outcome = self._judged.get(key)
        if outcome is None:
            outcome = self._judged[key] = self._decide(student)
        return outcome

    def _decide(self, student: Student) -> Placed | Excluded:
        candidates = self._candidates(student)
        if not candidates:
            return Excluded(merge_findings(self._without_candidate(student)))
        findings: list[Finding] = []
        kept: list[tuple[Project, _Addressees]] = []
        for project in candidates:
            addressees, found = self._weigh(student, project)
            findings += found
            if addressees:
                kept.append((project, addressees))
        if not kept:
            return Excluded(merge_findings(findings))
        level = student.training_level
        if len(kept) > 1:
            names = [project.label for project, _ in kept]
            return Excluded(merge_findings([refusals.choice_needed("项目", names, level)]))
        project, addressees = kept[0]
        if len(addressees) > 1:
            names = [body.name for body in addressees if body is not None]
            return Excluded(merge_findings([refusals.choice_needed("评价机构", names, level)]))
        return Placed(addressees[0], student.wish.route, project)

    def _candidates(self, student: Student) -> tuple[Project, ...]:
        """The project that the wish names whole, evaluated or not; else the lines that match."""
        wish = student.wish
        if (wish.code or wish.occupation) and wish.level is not None:
            base = Occupation(wish.code, wish.occupation, wish.direction)
            if not (wish.code and wish.occupation):
                base = self._register.find(wish.code, wish.occupation, wish.direction) or base
            return (Project(base.code, base.name, base.direction, wish.level),)
        lines = self._lines.get((student.specialty_code, student.training_level), ())
        return tuple(project for project in lines if _matches(wish, project))

    def _without_candidate(self, student: Student) -> Iterator[Finding]:
        yield from self._about_school_and_student(student)
        yield refusals.not_evaluated(student, None, self._on)
        yield from self._about_study_mode(student)
        if student.wish.level is not None:
            cap = refusals.level_cap(student.wish.level, student.training_level, self._policy)
            if cap:
                yield cap

    def _weigh(self, student: Student, project: Project) -> tuple[_Addressees, list[Finding]]:
        """Who can take the student for the project; if nobody, every reason."""
        general = [
            *self._about_school_and_student(student),
            *self._about_project(student, project),
        ]
        if student.wish.route is Route.QUALIFICATION:
            found = general + list(self._about_qualification(student, project))
            return ((), found) if found else ((None,), [])
        carriers = self._carriers_for(student, project)
        if not carriers:
            return (), general + list(self._about_missing_body(student, project))
        by_body = [(body, list(self._about_body(student, project, body))) for body in carriers]
        free = tuple(body for body, found in by_body if not found)
        if free and not general:
            return free, []
        return (), general + [finding for _, found in by_body for finding in found]

    def _chosen_body(self, student: Student) -> str | None:
        """The row's body, else the one that the school chose for the specialty."""
        specialty = (student.specialty_code, student.training_level)
        return student.wish.body or self._school.chosen_bodies.get(specialty)

    def _carriers_for(self, student: Student, project: Project) -> list[Body]:
        chosen = self._chosen_body(student)
        carriers = self._carriers.get(project, [])
        return [body for body in carriers if chosen is None or body.uscc == chosen]

    def _about_school_and_student(self, student: Student) -> Iterator[Finding]:
        level = student.training_level
        if not self._account_open:
            yield refusals.account(self._school.account, level, self._on)
        if student.enrolment_status is not Enrolment.ENROLLED:
            yield refusals.enrolment(student.enrolment_status, level)
        first, last = academic_year(student.graduates_on)
        if not first <= self._on <= last:
            yield refusals.graduating_year(student, self._on)
        for who, restrictions in (
            ("学校", self._school.restrictions),
            ("该生", student.restrictions),
        ):
            period = _restriction(restrictions, self._on)
            if period:
                yield refusals.restricted(who, period, level)

    def _about_study_mode(self, student: Student) -> Iterator[Finding]:
        if self._policy.full_time_required and student.study_mode is not StudyMode.FULL_TIME:
            yield refusals.study_mode(student.training_level)

    def _about_project(self, student: Student, project: Project) -> Iterator[Finding]:
        level = student.training_level
        cap = refusals.level_cap(project.level, level, self._policy)
        if cap:
            yield cap
        if project not in self._lines.get((student.specialty_code, level), ()):
            yield refusals.not_evaluated(student, project, self._on)
        if self._policy.once:
            if project in student.certificates:
                yield refusals.once_certified(project, level)
            if project in student.open_elsewhere:
                yield refusals.once_open(project, level)

    def _about_qualification(self, student: Student, project: Project) -> Iterator[Finding]:
        level = student.training_level
        yield from self._about_study_mode(student)
        if (Route.QUALIFICATION, None, project) not in self._permitted:
            yield refusals.not_permitted(project, None, level, self._on)
        if project not in self._carriers:
            yield refusals.out_of_scope(project, level, self._on)

    def _about_missing_body(self, student: Student, project: Project) -> Iterator[Finding]:
        level = student.training_level
        yield from self._about_study_mode(student)
        if not any((Route.SKILL_LEVEL, node, project) in self._permitted for node in Node):
            yield refusals.not_permitted_for_any(project, level, self._on)
        chosen = self._chosen_body(student)
        if chosen is None:
            yield refusals.out_of_scope(project, level, self._on)
        else:
            body = self._bodies.get(chosen)
            yield refusals.body_out_of_scope(body, project, level, self._on)

    def _about_body(self, student: Student, project: Project, body: Body) -> Iterator[Finding]:
        level = student.training_level
        if (Route.SKILL_LEVEL, body.type.node, project) not in self._permitted:
            yield refusals.not_permitted(project, body.type.node, level, self._on)
        if body.type is BodyType.SCHOOL:
            if body.uscc != self._school.uscc:
                yield refusals.others_students(body, level)
            elif student.study_mode is not StudyMode.FULL_TIME:
                yield refusals.own_but_part_time(body, level)
        else:
            yield from self._about_study_mode(student)
        if body.type is BodyType.ENTERPRISE and body.uscc not in self._cooperating:
            yield refusals.no_cooperation(body, level, self._on)
        if body.projects[project] is Basis.SPECIFICATION and (
            body.type is not BodyType.ENTERPRISE or self._policy.enterprise_specification_closed
        ):
            yield refusals.no_national_standard(body, project, level)
        period = _restriction(body.restrictions, self._on)
        if period:
            yield refusals.restricted(f"评价机构“{body.name}”", period, level)
