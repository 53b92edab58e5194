"""One row of a roster: texts into a student, or everything that is wrong with it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from types import MappingProxyType
from typing import TypeVar

from importers.cells import CivilDate, Value
from importers.lookups import Bodies, Context, Specialties, Specialty, find_occupation
from importers.roster_fields import ORDER
from importers.row_draft import REMEMBERED, Draft, Place, looked_up, read_date, read_texts
from school_portal.domain.identifiers import (
    Document,
    DocumentType,
    Sex,
    parse_document_type,
    parse_mobile,
    person_key,
    read_document,
)
from school_portal.domain.labels import LabelledEnum, fold
from school_portal.domain.levels import Level, TrainingLevel, parse_level
from school_portal.domain.projects import Register
from school_portal.domain.roster import Enrolment, RosterRow, Route, StudyMode, Wish

_E = TypeVar("_E", bound=LabelledEnum)

# The lists of the contract, as the drop-downs offer them.
CHOICES: MappingProxyType[str, type[LabelledEnum]] = MappingProxyType(
    {
        "证件类型": DocumentType,
        "性别": Sex,
        "培养层次": TrainingLevel,
        "学籍状态": Enrolment,
        "学习形式": StudyMode,
        "申报事项": Route,
    }
)
# What each student has of their own; the other fields repeat.
_OWN = frozenset({"学号", "姓名", "证件号码", "出生日期", "手机号码"})


@dataclass(frozen=True, slots=True)
class _Shared:
    """What the fields say in which many rows agree; None where they are refused."""

    refusals: dict[Place, tuple[str, str]]
    remarks: dict[Place, str]
    texts: dict[str, str]
    kind: DocumentType | None
    sex: Sex | None
    specialty: Specialty | None
    entered: CivilDate | None
    graduates: CivilDate | None
    status: Enrolment
    mode: StudyMode
    wish: Wish


class RowReader:
    """Reads the rows of one sheet; what many of them share is read once."""

    def __init__(self, columns: dict[str, int], context: Context) -> None:
        self._width = max(columns.values()) + 1
        ordered = sorted(columns, key=ORDER.__getitem__)
        self._own = [(field, columns[field]) for field in ordered if field in _OWN]
        self._shared_fields = [field for field in ordered if field not in _OWN]
        self._pick_shared = itemgetter(*(columns[field] for field in self._shared_fields))
        self._today = context.today
        self._specialties = Specialties(context.specialties)
        self._bodies = Bodies(context.bodies)
        self._register = Register(context.occupations)
        # By type too: 1, 1.0 and TRUE are equal, and different texts.
        self._shared = lru_cache(maxsize=REMEMBERED, typed=True)(self._read_shared)

    def read(self, number: int, values: list[Value]) -> tuple[Draft, RosterRow | None]:
        """The row as read and the student; None where the draft says what is wrong."""
        if len(values) < self._width:
            values = [*values, *[""] * (self._width - len(values))]
        shared = self._shared(*self._pick_shared(values))
        draft = Draft(dict(shared.refusals), dict(shared.remarks))
        read_texts(draft, [(field, values[column]) for field, column in self._own])
        return draft, self._student(number, draft, shared)

    def _read_shared(self, *values: Value) -> _Shared:
        draft = Draft({}, {})
        read_texts(draft, list(zip(self._shared_fields, values, strict=True)))
        status = self._choice(draft, "学籍状态", Enrolment.from_label, Enrolment.ENROLLED)
        mode = self._choice(draft, "学习形式", StudyMode.from_label, StudyMode.FULL_TIME)
        return _Shared(
            refusals=draft.refusals,
            remarks=draft.remarks,
            texts=draft.texts,
            kind=self._choice(draft, "证件类型", parse_document_type, DocumentType.RESIDENT_ID),
            sex=self._choice(draft, "性别", Sex.from_label, None),
            specialty=self._specialty(draft),
            entered=read_date(draft, "入学年月"),
            graduates=read_date(draft, "毕业年月"),
            status=status or Enrolment.ENROLLED,
            mode=mode or StudyMode.FULL_TIME,
            wish=self._wish(draft),
        )

    def _student(self, number: int, draft: Draft, shared: _Shared) -> RosterRow | None:
        kind, sex, specialty, graduates = (
            shared.kind,
            shared.sex,
            shared.specialty,
            shared.graduates,
        )
        document = self._document(draft, kind)
        born = self._birth_date(draft, document)
        if sex and document and document.sex not in (None, sex):
            draft.texts["性别"] = shared.texts["性别"]
            draft.refuse("性别", "cell.sex-mismatch")
        mobile = self._mobile(draft)
        if draft.refusals or not (kind and document and mobile and specialty and graduates):
            return None
        return RosterRow(
            row=number,
            student_no=fold(draft.texts["学号"]),
            name=draft.texts["姓名"],
            document_type=kind,
            document_number=document.number,
            sex=sex or document.sex,
            birth_date=born.day if born else document.birth_date,
            ethnicity=shared.texts.get("民族", ""),
            mobile=mobile,
            training_level=specialty.training_level,
            specialty_code=specialty.code,
            specialty_name=specialty.name,
            class_name=shared.texts.get("班级", ""),
            entered_on=shared.entered.text if shared.entered else "",
            graduates_on=graduates.day,
            enrolment_status=shared.status,
            study_mode=shared.mode,
            wish=shared.wish,
        )

    @staticmethod
    def _choice(
        draft: Draft, field: str, read: Callable[[str], _E | None], default: _E | None
    ) -> _E | None:
        text = draft.usable(field)
        if not text:
            return default
        choice = read(text)
        if choice is None:
            draft.refuse(field, "cell.choice", "、".join(m.label for m in CHOICES[field]))
        return choice

    def _document(self, draft: Draft, kind: DocumentType | None) -> Document | None:
        text = draft.usable("证件号码")
        if not text or kind is None:
            return None
        document = read_document(kind, text, self._today)
        if isinstance(document, Document):
            draft.person = person_key(kind, document.number)
            return document
        draft.refuse("证件号码", document)
        return None

    def _birth_date(self, draft: Draft, document: Document | None) -> CivilDate | None:
        born = read_date(draft, "出生日期")
        if born is None:
            return None
        if not born.exact or born.day > self._today:
            draft.refuse("出生日期", "cell.date", "（须写明年月日，且不晚于今天）")
        elif document and document.birth_date not in (None, born.day):
            draft.refuse("出生日期", "cell.birth-date-mismatch")
        return born

    @staticmethod
    def _mobile(draft: Draft) -> str | None:
        text = draft.usable("手机号码")
        mobile = parse_mobile(text) if text else None
        if text and mobile is None:
            draft.refuse("手机号码", "cell.mobile")
        return mobile

    def _specialty(self, draft: Draft) -> Specialty | None:
        given = [draft.usable(field) for field in ("专业代码", "专业名称", "培养层次")]
        return looked_up(draft, self._specialties.find(*given)) if any(given) else None

    def _wish(self, draft: Draft) -> Wish:
        route = self._choice(draft, "申报事项", Route.from_label, Route.SKILL_LEVEL)
        named = [draft.usable(field) for field in ("职业编码", "申报职业", "申报工种")]
        occupation = None
        if any(named):
            occupation = looked_up(draft, find_occupation(self._register, *named))
        body = draft.usable("评价机构")
        return Wish(
            route=route or Route.SKILL_LEVEL,
            code=occupation.code if occupation else "",
            occupation=occupation.name if occupation else "",
            direction=occupation.direction if occupation else "",
            level=self._level(draft),
            body=looked_up(draft, self._bodies.find(body)) if body else None,
        )

    @staticmethod
    def _level(draft: Draft) -> Level | None:
        text = draft.usable("申报等级")
        level = parse_level(text) if text else None
        if text and level is None:
            draft.refuse("申报等级", "cell.level")
        return level
