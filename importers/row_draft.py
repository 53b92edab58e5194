"""The fields of a row while they are read: their texts, and whatever is wrong with them."""

import re
from collections.abc import Iterable
from functools import lru_cache
from types import MappingProxyType
from typing import TypeVar

from importers.cells import (
    STRANGE,
    CivilDate,
    Unusable,
    Value,
    is_ambiguous_month,
    is_error_text,
    is_number,
    is_scientific,
    lost_digits,
    parse_date,
    text_of,
    unguarded,
)
from importers.lookups import Failure
from importers.roster_fields import LONGEST, ORDER, REQUIRED
from school_portal.domain.identifiers import mask_document, mask_mobile
from school_portal.domain.labels import fold
from school_portal.domain.texts import tidy_name, trimmed
from school_portal.domain.violations import Issue, issue

_T = TypeVar("_T")
# A field and a code of the contract.
Place = tuple[str, str]

REMEMBERED = 4096
_parsed_date = lru_cache(maxsize=REMEMBERED)(parse_date)
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


class Draft:
    """Fields while they are read: their texts, what refuses them, and what is said of them."""

    __slots__ = ("person", "refusals", "remarks", "texts")

    def __init__(self, refusals: dict[Place, tuple[str, str]], remarks: dict[Place, str]) -> None:
        self.texts: dict[str, str] = {}
        # The value to be quoted, and what is added to the code's text.
        self.refusals = refusals
        # The value to be quoted.
        self.remarks = remarks
        # The key of the person, where the document is right.
        self.person: str | None = None

    def refuse(self, field: str, code: str, detail: str = "", *, quote: bool = True) -> None:
        """Notes an error once; the field's text is quoted, masked where it is personal."""
        if (field, code) not in self.refusals:
            value = shown(field, self.texts.get(field, "")) if quote else ""
            self.refusals[field, code] = value, detail

    def remark(self, field: str, code: str, text: str) -> None:
        """Notes what was done to a field, or looks odd in it, which refuses nothing."""
        self.remarks[field, code] = shown(field, text)

    def usable(self, field: str) -> str:
        """The field's text; empty where it has an error, so that none follows from another."""
        if self.refusals and any(place == field for place, _ in self.refusals):
            return ""
        return self.texts.get(field, "")

    def issues(self, row: int) -> list[Issue]:
        """All that is wrong and all remarks, in the contract's order of columns."""
        if not self.refusals and not self.remarks:
            return []
        found = [
            issue(code, row, field, value=value, detail=detail)
            for (field, code), (value, detail) in self.refusals.items()
        ]
        found += [
            issue(code, row, field, value=value, detail=value, severity="warning")
            for (field, code), value in self.remarks.items()
        ]
        return sorted(found, key=lambda one: ORDER[one.column or ""])


def read_texts(draft: Draft, cells: Iterable[tuple[str, Value]]) -> None:
    """Takes the fields' texts over, and notes what is wrong with any text whatever it means."""
    texts = draft.texts
    for field, value in cells:
        if type(value) is str:
            text = texts[field] = _read_text(draft, field, value)
        else:
            text = texts[field] = text_of(value)
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
        if is_scientific(texts.get(field, "")):
            draft.refuse(field, "cell.id-precision-lost", quote=False)
    for field in REQUIRED:
        if texts.get(field) == "" and (field, "cell.formula") not in draft.refusals:
            draft.refuse(field, "cell.required")


def _read_text(draft: Draft, field: str, value: str) -> str:
    is_name = field == "姓名"
    written, taken = tidy_name(value) if is_name else (trimmed(value), False)
    text = unguarded(written)
    if is_error_text(text):
        draft.refuse(field, "cell.formula", quote=False)
    elif text:
        if taken:
            draft.remark(field, "cell.name-spaces", text)
        if text != written:
            draft.remark(field, "cell.text-mark", text)
        if is_name and ("?" in text or "？" in text):
            draft.remark(field, "cell.question-mark", text)
    return text


def _check_type(draft: Draft, field: str, value: Value) -> None:
    if isinstance(value, Unusable):
        draft.refuse(field, "cell.formula", quote=False)
    elif (field == "证件号码" and is_number(value)) or (field == "学号" and lost_digits(value)):
        draft.refuse(field, "cell.id-precision-lost", quote=False)
    elif field in _DATES and is_ambiguous_month(value):
        draft.refuse(field, "cell.date", "（以数字保存，分不清是 1 月还是 10 月）")


def read_date(draft: Draft, field: str) -> CivilDate | None:
    """The field's date; None where it is empty, or refused."""
    text = draft.usable(field)
    found = _parsed_date(text) if text else None
    if text and found is None:
        draft.refuse(field, "cell.date")
    return found


def looked_up(draft: Draft, outcome: tuple[_T | None, list[Failure]]) -> _T | None:
    """What was found; why nothing was found refuses its fields."""
    found, failures = outcome
    for failure in failures:
        draft.refuse(failure.field, failure.code, failure.detail)
    return found
