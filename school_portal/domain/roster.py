"""A roster's rows and its way through the portal (rulebook 7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from school_portal.domain.identifiers import DocumentType, Sex
from school_portal.domain.labels import LabelledEnum
from school_portal.domain.levels import Level, TrainingLevel


class Route(LabelledEnum):
    """事项 (N17S 二3)."""

    SKILL_LEVEL = "skill_level", "职业技能等级认定"
    QUALIFICATION = "qualification", "职业资格鉴定"


class Enrolment(LabelledEnum):
    """学籍状态."""

    ENROLLED = "enrolled", "在籍"
    ON_LEAVE = "on_leave", "休学"
    RETAINED = "retained", "保留学籍"
    WITHDRAWN = "withdrawn", "退学"
    TRANSFERRED = "transferred", "转出"
    GRADUATED = "graduated", "毕业"


# In these a school holds the person (rulebook 7, 5).
HELD = (Enrolment.ENROLLED, Enrolment.ON_LEAVE, Enrolment.RETAINED)


class StudyMode(LabelledEnum):
    """学习形式."""

    FULL_TIME = "full_time", "全日制"
    PART_TIME = "part_time", "非全日制"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a row applies for; None names nothing, an empty direction the whole occupation."""

    route: Route = Route.SKILL_LEVEL
    code: str | None = None
    occupation: str | None = None
    direction: str | None = None
    level: Level | None = None
    body: str | None = None  # USCC


@dataclass(frozen=True, slots=True)
class RosterRow:
    """A row that passed its check; `row` is the number that the spreadsheet program shows."""

    row: int
    student_no: str
    name: str
    document_type: DocumentType
    document_number: str
    sex: Sex | None
    birth_date: date | None
    ethnicity: str
    mobile: str
    training_level: TrainingLevel
    specialty_code: str
    specialty_name: str
    class_name: str
    entered_on: str
    graduates_on: date  # a month without a day stands for its last day
    enrolment_status: Enrolment
    study_mode: StudyMode
    wish: Wish


class RosterState(LabelledEnum):
    """Where a roster stands."""

    UPLOADED = "uploaded", "已上传"
    READING = "reading", "检查中"
    CHECKED = "checked", "待确认"
    CONFIRMED = "confirmed", "保存中"
    APPLIED = "applied", "已保存"
    FAILED = "failed", "无法读取"
    DISCARDED = "discarded", "已放弃"
    UNDONE = "undone", "已撤销"
