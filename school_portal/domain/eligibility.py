"""Facts in, every reason out, each with its clause (rulebook 4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from school_portal.domain.labels import LabelledEnum
from school_portal.domain.levels import TrainingLevel
from school_portal.domain.projects import Project
from school_portal.domain.roster import Enrolment, Route, StudyMode, Wish
from school_portal.domain.windows import Period


class Node(LabelledEnum):
    """节点名称, by which the platform's form names the type of body (N17S 二3)."""

    SOCIAL = "social", "社会评价组织等级认定"
    EMPLOYER = "employer", "用人单位等级认定"


class BodyType(LabelledEnum):
    """机构类型."""

    SOCIAL = "social", "社会培训评价组织"
    ENTERPRISE = "enterprise", "企业"
    SCHOOL = "school", "院校"

    @property
    def node(self) -> Node:
        """A college's body is handled like an enterprise's (N120 三(一)3)."""
        return Node.SOCIAL if self is BodyType.SOCIAL else Node.EMPLOYER


class BodyState(LabelledEnum):
    """状态 of a filing."""

    ACTIVE = "active", "有效"
    SUSPENDED = "suspended", "暂停"
    ENDED = "ended", "终止"


class Basis(LabelledEnum):
    """评价依据 of a project."""

    STANDARD = "standard", "国家职业标准"
    SPECIFICATION = "specification", "评价规范"


@dataclass(frozen=True, slots=True)
class Account:
    """Open from `opened_on` until, not including, `stopped_on`."""

    opened_on: date | None
    stopped_on: date | None = None


@dataclass(frozen=True, slots=True)
class School:
    uscc: str
    name: str
    account: Account
    restrictions: tuple[Period, ...]
    chosen_bodies: Mapping[tuple[str, TrainingLevel], str]


@dataclass(frozen=True, slots=True)
class EvaluationLine:
    specialty_code: str
    training_level: TrainingLevel
    project: Project
    period: Period


@dataclass(frozen=True, slots=True)
class Permission:
    route: Route
    node: Node | None
    project: Project
    period: Period


@dataclass(frozen=True, slots=True)
class Body:
    uscc: str
    name: str
    type: BodyType
    filing: Period
    state: BodyState
    state_date: date | None
    projects: Mapping[Project, Basis]
    restrictions: tuple[Period, ...] = ()


@dataclass(frozen=True, slots=True)
class Cooperation:
    body: str
    period: Period


@dataclass(frozen=True, slots=True)
class Student:
    student_no: str
    person: str
    training_level: TrainingLevel
    specialty_code: str
    specialty_name: str
    graduates_on: date
    enrolment_status: Enrolment
    study_mode: StudyMode
    wish: Wish
    certificates: frozenset[Project]
    open_elsewhere: frozenset[Project]
    held: Mapping[Project, int]
    restrictions: tuple[Period, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    school: School
    lines: tuple[EvaluationLine, ...]
    permissions: tuple[Permission, ...]
    bodies: tuple[Body, ...]
    cooperations: tuple[Cooperation, ...]
    students: tuple[Student, ...]
