"""One row of a roster: texts into a student, or everything that is wrong with it."""

import re
from collections.abc import Callable, Hashable
from types import MappingProxyType
from typing import Any, TypeVar

from importers.cells import (
    STRANGE,
    CivilDate,
    Unusable,
    Value,
    is_ambiguous_month,
    is_number,
    is_scientific,
    lost_digits,
    parse_date,
    text_of,
)
from importers.lookups import (
    Bodies,
    Context,
    Failure,
    Specialties,
    Specialty,
    find_occupation,
)
from importers.roster_fields import LONGEST, ORDER, REQUIRED
from school_portal.domain.identifiers import (
    Document,
    DocumentType,
    Sex,
    mask_document,
    mask_mobile,
    parse_document_type,
    parse_mobile,
    person_key,
    read_document,
)
from school_portal.domain.labels import LabelledEnum, fold
from school_portal.domain.levels import Level, TrainingLevel, parse_level
from school_portal.domain.projects import Register
from school_portal.domain.roster import Enrolment, RosterRow, Route, StudyMode, Wish
from school_portal.domain.violations import Issue, issue

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
_DATES = frozenset({"出生日期", "入学年月", "毕业年月"})
_PERSONAL = MappingProxyType({"证件号码": mask_document, "手机号码": mask_mobile})
# A number that identifies somebody, in whatever column it was typed by mistake.
_TELLING = re.compile(r"[0-9]{9,}[Xx]?|[A-Za-z]{1,3}[0-9]{7,}")


def shown(field: str, text: str) -> str:
    """The text as a message may repeat it: identifying numbers masked."""
    if mask := _PERSONAL.get(field):
        return mask(text)
    folded = fold(text)
    if not _TELLING.search(folded):
        return text
    return _TELLING.sub(lambda number: mask_document(number[0]), folded)


class RowDraft:
    """A row while it is read: its texts by field, its issues by place and code."""

    __slots__ = ("issues", "number", "person", "texts")

    def __init__(self, number: int) -> None:
        self.number = number
        self.texts: dict[str, str] = {}
        self.issues: dict[tuple[str, str], Issue] = {}
        # The key of the person, where the document is right.
        self.person: str | None = None

    def refuse(self, field: str, code: str, detail: str = "", *, quote: bool = True) -> None:
        """Notes an error once; the field's text is quoted, masked where it is personal."""
        if (field, code) not in self.issues:
            value = shown(field, self.texts.get(field, "")) if quote else ""
            self.issues[field, code] = issue(code, self.number, field, value=value, detail=detail)

    def usable(self, field: str) -> str:
        """The field's text; empty where it has an error, so that none follows from another."""
        if self.issues and any(place == field for place, _ in self.issues):
            return ""
        return self.texts.get(field, "")


class RowReader:
    """Reads the rows of one sheet; remembers what texts meant, as most of them repeat."""

    def __init__(self, columns: dict[str, int], context: Context) -> None:
        self._columns = sorted(columns.items(), key=lambda item: ORDER[item[0]])
        self._today = context.today
        self._specialties = Specialties(context.specialties)
        self._bodies = Bodies(context.bodies)
        self._register = Register(context.occupations)
        self._known: dict[Hashable, Any] = {}

    def read(self, number: int, values: list[Value]) -> tuple[RowDraft, RosterRow | None]:
        """The row as read and the student; None where the draft's issues say what is wrong."""
        draft = RowDraft(number)
        self._read_texts(draft, values)
        return draft, self._student(draft)

    def _read_texts(self, draft: RowDraft, values: list[Value]) -> None:
        width = len(values)
        texts = draft.texts
        for field, column in self._columns:
            value = values[column] if column < width else ""
            text = texts[field] = text_of(value)
            if type(value) is not str:
                _check_type(draft, field, value)
            if len(text) > LONGEST[field]:
                draft.refuse(field, "cell.too-long", f"（最多 {LONGEST[field]} 个字）")
        together = "".join(texts.values())
        # Quick to ask, and what is strange fails it.
        if not together.isprintable() or "\ufffd" in together:
            for field, text in texts.items():
                if STRANGE.search(text):
                    draft.refuse(field, "cell.characters", quote=False)
        for field in ("学号", "证件号码"):
            if is_scientific(texts[field]):
                draft.refuse(field, "cell.id-precision-lost", quote=False)
        for field in REQUIRED:
            if not texts[field] and (field, "cell.formula") not in draft.issues:
                draft.refuse(field, "cell.required")

    def _student(self, draft: RowDraft) -> RosterRow | None:
        texts = draft.texts
        kind = self._choice(draft, "证件类型", parse_document_type, DocumentType.RESIDENT_ID)
        sex = self._choice(draft, "性别", Sex.from_label, None)
        document = self._document(draft, kind)
        born = self._birth_date(draft, document)
        if sex and document and document.sex not in (None, sex):
            draft.refuse("性别", "cell.sex-mismatch")
        mobile = self._mobile(draft)
        specialty = self._specialty(draft)
        entered = self._date(draft, "入学年月")
        graduates = self._date(draft, "毕业年月")
        status = self._choice(draft, "学籍状态", Enrolment.from_label, Enrolment.ENROLLED)
        mode = self._choice(draft, "学习形式", StudyMode.from_label, StudyMode.FULL_TIME)
        wish = self._wish(draft)
        if draft.issues or not (kind and document and mobile and specialty and graduates):
            return None
        return RosterRow(
            row=draft.number,
            student_no=fold(texts["学号"]),
            name=texts["姓名"],
            document_type=kind,
            document_number=document.number,
            sex=sex or document.sex,
            birth_date=born.day if born else document.birth_date,
            ethnicity=texts.get("民族", ""),
            mobile=mobile,
            training_level=specialty.training_level,
            specialty_code=specialty.code,
            specialty_name=specialty.name,
            class_name=texts.get("班级", ""),
            entered_on=entered.text if entered else "",
            graduates_on=graduates.day,
            enrolment_status=status or Enrolment.ENROLLED,
            study_mode=mode or StudyMode.FULL_TIME,
            wish=wish,
        )

    def _remembered(self, read: Callable[..., Any], *given: Hashable) -> Any:
        key = (read, given)
        if key not in self._known:
            self._known[key] = read(*given)
        return self._known[key]

    def _choice(
        self, draft: RowDraft, field: str, read: Callable[[str], _E | None], default: _E | None
    ) -> _E | None:
        text = draft.usable(field)
        if not text:
            return default
        choice: _E | None = self._remembered(read, text)
        if choice is None:
            draft.refuse(field, "cell.choice", "、".join(m.label for m in CHOICES[field]))
        return choice

    def _date(self, draft: RowDraft, field: str) -> CivilDate | None:
        text = draft.usable(field)
        found: CivilDate | None = self._remembered(parse_date, text) if text else None
        if text and found is None:
            draft.refuse(field, "cell.date")
        return found

    def _document(self, draft: RowDraft, kind: DocumentType | None) -> Document | None:
        text = draft.usable("证件号码")
        if not text or kind is None:
            return None
        document = read_document(kind, text, self._today)
        if isinstance(document, Document):
            draft.person = person_key(kind, document.number)
            return document
        draft.refuse("证件号码", document)
        return None

    def _birth_date(self, draft: RowDraft, document: Document | None) -> CivilDate | None:
        born = self._date(draft, "出生日期")
        if born is None:
            return None
        if not born.exact or born.day > self._today:
            draft.refuse("出生日期", "cell.date", "（须写明年月日，且不晚于今天）")
        elif document and document.birth_date not in (None, born.day):
            draft.refuse("出生日期", "cell.birth-date-mismatch")
        return born

    @staticmethod
    def _mobile(draft: RowDraft) -> str | None:
        text = draft.usable("手机号码")
        mobile = parse_mobile(text) if text else None
        if text and mobile is None:
            draft.refuse("手机号码", "cell.mobile")
        return mobile

    def _specialty(self, draft: RowDraft) -> Specialty | None:
        given = [draft.usable(field) for field in ("专业代码", "专业名称", "培养层次")]
        return self._looked_up(draft, self._specialties.find, *given) if any(given) else None

    def _looked_up(
        self,
        draft: RowDraft,
        find: Callable[..., tuple[Any, list[Failure]]],
        *given: Hashable,
    ) -> Any:
        found, failures = self._remembered(find, *given)
        for failure in failures:
            draft.refuse(failure.field, failure.code, failure.detail)
        return found

    def _wish(self, draft: RowDraft) -> Wish:
        route = self._choice(draft, "申报事项", Route.from_label, Route.SKILL_LEVEL)
        named = [draft.usable(field) for field in ("职业编码", "申报职业", "申报工种")]
        occupation = None
        if any(named):
            occupation = self._looked_up(draft, find_occupation, self._register, *named)
        body = draft.usable("评价机构")
        return Wish(
            route=route or Route.SKILL_LEVEL,
            code=occupation.code if occupation else "",
            occupation=occupation.name if occupation else "",
            direction=occupation.direction if occupation else "",
            level=self._level(draft),
            body=self._looked_up(draft, self._bodies.find, body) if body else None,
        )

    def _level(self, draft: RowDraft) -> Level | None:
        text = draft.usable("申报等级")
        level: Level | None = self._remembered(parse_level, text) if text else None
        if text and level is None:
            draft.refuse("申报等级", "cell.level")
        return level


def _check_type(draft: RowDraft, field: str, value: Value) -> None:
    if isinstance(value, Unusable):
        draft.refuse(field, "cell.formula", quote=False)
    elif (field == "证件号码" and is_number(value)) or (field == "学号" and lost_digits(value)):
        draft.refuse(field, "cell.id-precision-lost", quote=False)
    elif field in _DATES and is_ambiguous_month(value):
        draft.refuse(field, "cell.date", "（以数字保存，分不清是 1 月还是 10 月）")
