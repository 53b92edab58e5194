"""One school's facts in which everything passes, for tests that break one thing at a time."""

from dataclasses import replace
from datetime import date

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
from school_portal.domain.levels import Level, TrainingLevel
from school_portal.domain.projects import Project
from school_portal.domain.roster import Enrolment, Route, StudyMode, Wish
from school_portal.domain.windows import Period

ON = date(2026, 10, 15)
ALWAYS = Period(date(2025, 1, 1), date(2028, 12, 31))
PAST = Period(date(2023, 1, 1), date(2026, 10, 14))
SECONDARY, HIGHER = TrainingLevel.SECONDARY, TrainingLevel.HIGHER

SCHOOL = "12310000000000001A"
SOCIAL = "52310000000000002B"
OTHER_SOCIAL = "52310000000000003C"
ENTERPRISE = "91310000000000004D"
COLLEGE = "12310000000000005E"

CARE_4 = Project("4-14-01-02", "医疗护理员", "", Level(4))
CARE_5 = replace(CARE_4, level=Level(5))
CARE_3 = replace(CARE_4, level=Level(3))
DIET_4 = Project("4-14-02-01", "营养师", "公共营养师", Level(4))
PIPES_4 = Project("6-29-03-04", "管工", "", Level(4))

SPECIALTY = "720301"


def body(uscc: str, type_: BodyType, *projects: Project, **changes: object) -> Body:
    filed = dict.fromkeys(projects, Basis.STANDARD)
    made = Body(uscc, f"示例机构{uscc[-1]}", type_, ALWAYS, BodyState.ACTIVE, None, filed)
    return replace(made, **changes)  # type: ignore[arg-type]


def line(project: Project, period: Period = ALWAYS, level: TrainingLevel = SECONDARY):
    return EvaluationLine(SPECIALTY, level, project, period)


def permission(
    project: Project,
    node: Node | None = Node.SOCIAL,
    period: Period = ALWAYS,
    route: Route = Route.SKILL_LEVEL,
) -> Permission:
    return Permission(route, node, project, period)


def wish(project: Project, **changes: object) -> Wish:
    named = Wish(Route.SKILL_LEVEL, project.code, project.occupation, project.direction)
    return replace(named, level=project.level, **changes)  # type: ignore[arg-type]


def student(**changes: object) -> Student:
    made = Student(
        student_no="S001",
        person="p1",
        training_level=SECONDARY,
        specialty_code=SPECIALTY,
        specialty_name="护理",
        graduates_on=date(2027, 6, 30),
        enrolment_status=Enrolment.ENROLLED,
        study_mode=StudyMode.FULL_TIME,
        wish=Wish(),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def world(**changes: object) -> Facts:
    """CARE_4 is evaluated, permitted for social bodies and carried by one of them."""
    made = Facts(
        school=School(SCHOOL, "示例学校", Account(date(2025, 3, 1))),
        lines=(line(CARE_4),),
        permissions=(permission(CARE_4),),
        bodies=(body(SOCIAL, BodyType.SOCIAL, CARE_4),),
        cooperations=(),
        students=(),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def school(**changes: object) -> School:
    return replace(world().school, **changes)  # type: ignore[arg-type]


def agreement(uscc: str = ENTERPRISE, period: Period = ALWAYS) -> Cooperation:
    return Cooperation(uscc, period)
