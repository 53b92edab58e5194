"""What the judgement of applications rests on, as of no particular day (rulebook 4)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from school_portal.domain.labels import LabelledEnum
from school_portal.domain.levels import TrainingLevel
from school_portal.domain.projects import Project
from school_portal.domain.roster import Enrolment, Route, StudyMode, Wish
from school_portal.domain.windows import Period


class Node(LabelledEnum):
    """What the platform's form writes for the type of body (N17S 二3, N17H 二3)."""

    SOCIAL = "social", "社会评价组织等级认定"
    EMPLOYER = "employer", "用人单位等级认定"


class BodyType(LabelledEnum):
    """The types of evaluation body (rulebook 8)."""

    SOCIAL = "social", "社会培训评价组织"
    ENTERPRISE = "enterprise", "企业"
    SCHOOL = "school", "院校"

    @property
    def node(self) -> Node:
        """A college's body is handled like an enterprise's (沪人社职〔2024〕120号 三(一)3)."""
        return Node.SOCIAL if self is BodyType.SOCIAL else Node.EMPLOYER


class Basis(LabelledEnum):
    """评价依据: what a filed project is evaluated by."""

    STANDARD = "standard", "国家职业标准"
    SPECIFICATION = "specification", "评价规范"


class BodyState(LabelledEnum):
    """The state of a filing; the other two hold from their date on."""

    ACTIVE = "active", "有效"
    SUSPENDED = "suspended", "暂停"
    ENDED = "ended", "终止"


@dataclass(frozen=True, slots=True)
class Account:
    """A school's account: the day it was opened and the day it was suspended or closed."""

    opened_on: date | None = None
    stopped_on: date | None = None

    def is_open(self, day: date) -> bool:
        """Open by that day and not stopped by it."""
        opened = self.opened_on is not None and self.opened_on <= day
        return opened and (self.stopped_on is None or day < self.stopped_on)


@dataclass(frozen=True, slots=True)
class School:
    """The applying school; `chosen_bodies` maps (specialty code, training level) to a USCC."""

    uscc: str
    name: str
    account: Account
    restrictions: tuple[Period, ...] = ()
    chosen_bodies: Mapping[tuple[str, TrainingLevel], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EvaluationLine:
    """An approved line of a specialty evaluation of the school."""

    specialty_code: str
    training_level: TrainingLevel
    project: Project
    period: Period


@dataclass(frozen=True, slots=True)
class Permission:
    """A permission of the school; the node is empty on the qualification route."""

    route: Route
    node: Node | None
    project: Project
    period: Period


@dataclass(frozen=True, slots=True)
class Body:
    """An evaluation body with its filing."""

    uscc: str
    name: str
    type: BodyType
    filing: Period
    state: BodyState
    state_date: date | None
    projects: Mapping[Project, Basis]
    restrictions: tuple[Period, ...] = ()

    def in_force(self, day: date) -> bool:
        """Within the filing's dates, neither suspended nor ended by that day (rulebook 3)."""
        if not self.filing.covers(day):
            return False
        if self.state == BodyState.ACTIVE:
            return True
        return self.state_date is not None and day < self.state_date


@dataclass(frozen=True, slots=True)
class Cooperation:
    """An agreement between the school and a body, by its USCC."""

    body: str
    period: Period


@dataclass(frozen=True, slots=True)
class Student:
    """A student with the latest wish, and what ONCE needs to know of the person.

    `open_elsewhere`: projects of other schools' open applications; `held`: the own school's open
    applications by project, each with its id.
    """

    student_no: str
    person: str
    training_level: TrainingLevel
    specialty_code: str
    specialty_name: str
    graduates_on: date
    enrolment_status: Enrolment
    study_mode: StudyMode
    wish: Wish
    certificates: frozenset[Project] = frozenset()
    open_elsewhere: frozenset[Project] = frozenset()
    held: Mapping[Project, int] = field(default_factory=dict)
    restrictions: tuple[Period, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """All of one school's facts."""

    school: School
    lines: tuple[EvaluationLine, ...]
    permissions: tuple[Permission, ...]
    bodies: tuple[Body, ...]
    cooperations: tuple[Cooperation, ...]
    students: tuple[Student, ...]
