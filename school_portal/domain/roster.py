"""A school's roster: its rows' vocabulary and its workflow (rulebook 7)."""

from dataclasses import dataclass
from datetime import date

from school_portal.domain.identifiers import DocumentType, Sex
from school_portal.domain.labels import LabelledEnum
from school_portal.domain.levels import Level, TrainingLevel
from school_portal.domain.workflow import Role, Transition, Workflow


class Route(LabelledEnum):
    """What is applied for (申报事项; N17S 二3, N17H 二3)."""

    SKILL_LEVEL = "skill_level", "职业技能等级认定"
    QUALIFICATION = "qualification", "职业资格鉴定"


class Enrolment(LabelledEnum):
    """学籍状态; the first three hold a person to the school."""

    ENROLLED = "enrolled", "在籍"
    SUSPENDED = "suspended", "休学"
    RETAINED = "retained", "保留学籍"
    WITHDRAWN = "withdrawn", "退学"
    TRANSFERRED = "transferred", "转出"
    GRADUATED = "graduated", "毕业"

    @property
    def holds(self) -> bool:
        """Whether the person counts as this school's, so that no other may register it."""
        return self in {Enrolment.ENROLLED, Enrolment.SUSPENDED, Enrolment.RETAINED}


class StudyMode(LabelledEnum):
    """学习形式."""

    FULL_TIME = "full_time", "全日制"
    PART_TIME = "part_time", "非全日制"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a row asks for; empty or None where it names nothing.

    Occupations are spelled as the register spells them; `body` is a USCC.
    """

    route: Route = Route.SKILL_LEVEL
    code: str = ""
    occupation: str = ""
    direction: str = ""
    level: Level | None = None
    body: str | None = None


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One student as a roster tells it, read and normalised.

    `row` is the spreadsheet's own number; `graduates_on` is the day, or the last day of the month
    where no day was given; names are kept as written.
    """

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
    graduates_on: date
    enrolment_status: Enrolment
    study_mode: StudyMode
    wish: Wish


class RosterState(LabelledEnum):
    """Where a roster is."""

    UPLOADED = "uploaded", "已上传"
    READING = "reading", "读取中"
    CHECKED = "checked", "已校验"
    CONFIRMED = "confirmed", "已确认"
    APPLIED = "applied", "已入库"
    FAILED = "failed", "读取失败"
    DISCARDED = "discarded", "已放弃"
    UNDONE = "undone", "已撤销"


class RosterAction(LabelledEnum):
    """What can be done to a roster."""

    READ = "read", "读取"
    FINISH = "finish", "完成校验"
    CONFIRM = "confirm", "确认"
    APPLY = "apply", "入库"
    FAIL = "fail", "记为失败"
    RECHECK = "recheck", "重新校验"
    DISCARD = "discard", "放弃"
    UNDO = "undo", "撤销"


def _by_worker(
    sources: set[RosterState], action: RosterAction, target: RosterState
) -> Transition[RosterState, RosterAction]:
    return Transition(frozenset(sources), action, frozenset({Role.SYSTEM}), target)


def _by_school(
    sources: set[RosterState], action: RosterAction, target: RosterState
) -> Transition[RosterState, RosterAction]:
    return Transition(frozenset(sources), action, frozenset({Role.SCHOOL}), target)


ROSTER_WORKFLOW = Workflow(
    "名册",
    [
        # A second attempt reads again from the beginning.
        _by_worker(
            {RosterState.UPLOADED, RosterState.READING}, RosterAction.READ, RosterState.READING
        ),
        _by_worker({RosterState.READING}, RosterAction.FINISH, RosterState.CHECKED),
        _by_school({RosterState.CHECKED}, RosterAction.CONFIRM, RosterState.CONFIRMED),
        _by_worker({RosterState.CONFIRMED}, RosterAction.APPLY, RosterState.APPLIED),
        # What was saved meanwhile turned rows away: the school decides again.
        _by_worker({RosterState.CONFIRMED}, RosterAction.RECHECK, RosterState.CHECKED),
        # For files that cannot be read; what no worker could finish stays, and is asked for again.
        _by_worker({RosterState.READING}, RosterAction.FAIL, RosterState.FAILED),
        _by_school(
            {
                RosterState.UPLOADED,
                RosterState.READING,
                RosterState.CHECKED,
                RosterState.CONFIRMED,
                RosterState.FAILED,
            },
            RosterAction.DISCARD,
            RosterState.DISCARDED,
        ),
        _by_school({RosterState.APPLIED}, RosterAction.UNDO, RosterState.UNDONE),
    ],
)
