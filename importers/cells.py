"""Values of cells as text and as dates; nothing is guessed."""

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from school_portal.domain.labels import fold
from school_portal.domain.texts import DASHES, trimmed


@dataclass(frozen=True, slots=True)
class Unusable:
    """A formula without a stored value (`shown` empty), or an error value such as #N/A."""

    shown: str = ""


Value = str | float | bool | date | datetime | time | timedelta | Unusable

# Private use, the replacement characters, and controls, which no keyboard makes.
STRANGE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ue000-\uf8ff\ufffc-\uffff\U000f0000-\U0010ffff]"
)
# What keeps a spreadsheet program from reading a number: a quote in front (which hands write in
# any form, and some programs close), or a formula that is nothing but a text.
_QUOTES = "'\u2018\u2019\uff07"
_GUARD_STARTS = frozenset(_QUOTES + "=＝")
_GUARD = re.compile('[=＝]\\s*"((?:[^"]|"")*)"')
# As programs write error values where only texts are kept.
_ERROR_TEXT = re.compile(
    r"#(?:N/A|VALUE!|REF!|DIV/0!|NUM!|NULL!|NAME\?|SPILL!|CALC!|FIELD!|GETTING_DATA)|Err:[0-9]{3}",
    re.IGNORECASE,
)
_ERROR_STARTS = frozenset("#Ee")
# What a prepared formula shows where nothing was filled in: 0, also as the day or time that it is.
_ZERO = re.compile(
    r"0(?:\.0+)?|0?0:00:00|(?:1899[-/.]12[-/.]3[01]|1900[-/.年]0?1(?:[-/.月](?:0?[01]日?)?)?)"
)

# From here on Excel, which keeps 15 digits, has lost some.
_EXACT_BELOW = 10**15
_SCIENTIFIC = re.compile(r"[0-9](?:\.[0-9]+)?[Ee]\+[0-9]{1,3}")
# A number cannot say whether 2027.1 was January or 2027.10.
_HALF_OCTOBER = re.compile(r"[0-9]{4}\.1")

_FIRST_YEAR, _LAST_YEAR = 1900, 2199
_CLOCK = re.compile(r"(?<=[0-9日])[ T]\s*[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?$")
_DATE = re.compile(
    r"""(?P<y>[0-9]{4})
        (?: (?P<sep>[-./])(?P<m>[0-9]{1,2}) (?:(?P=sep)(?P<d>[0-9]{1,2}))?
          | 年(?P<m2>[0-9]{1,2})月 (?:(?P<d2>[0-9]{1,2})日?)?
          | (?P<m3>[0-9]{2}) (?P<d3>[0-9]{2})?
        )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class CivilDate:
    """A date as typed: `day` is the month's last where none was given (`exact` false)."""

    day: date
    exact: bool

    @property
    def text(self) -> str:
        """2027-06, or 2027-06-30 where a day was given."""
        return self.day.isoformat() if self.exact else self.day.isoformat()[:7]


def text_of(value: Value) -> str:
    """The value as a person would type it, trimmed; whole numbers without a decimal point."""
    if isinstance(value, str):
        return unguarded(trimmed(value))
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        whole = value.is_integer() and abs(value) < 1e21
        return str(int(value)) if whole else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time.min else value.isoformat(" ")
    if isinstance(value, Unusable):
        return value.shown
    return str(value)


def unguarded(text: str) -> str:
    """A trimmed text without what kept it from being a number: `'1`, `="1"`; itself without any."""
    while text[:1] in _GUARD_STARTS:
        guard = _GUARD.fullmatch(text)
        inner = guard[1].replace('""', '"') if guard else _unquoted(text)
        if inner is text:
            break
        text = trimmed(inner)
    return text


def _unquoted(text: str) -> str:
    if text[0] not in _QUOTES:
        return text
    inner = text[1:-1] if text[-1] in _QUOTES else text[1:]
    # The Chinese quotes also stand in texts, around a word: ‘示例’班.
    return text if text[0] != "'" and any(quote in inner for quote in _QUOTES) else inner


def is_error_text(text: str) -> bool:
    """Whether the text is an error value as exports write it: #N/A."""
    return text[:1] in _ERROR_STARTS and _ERROR_TEXT.fullmatch(text) is not None


def says_nothing(text: str) -> bool:
    """Whether a prepared formula leaves such a text in a row that nobody filled in."""
    return not text or is_error_text(text) or _ZERO.fullmatch(text) is not None


def is_number(value: Value) -> bool:
    """Whether the cell holds a number, as opposed to its digits as text."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_scientific(text: str) -> bool:
    """Whether the text is what is left of a long number: 3.10104E+17."""
    return ("+" in text or "＋" in text) and _SCIENTIFIC.fullmatch(fold(text)) is not None


def lost_digits(value: Value) -> bool:
    """Whether a number is longer than the 15 digits that spreadsheet programs keep."""
    if isinstance(value, str):
        return is_scientific(value)
    return is_number(value) and abs(value) >= _EXACT_BELOW  # type: ignore[operator, arg-type]


def is_ambiguous_month(value: Value) -> bool:
    """Whether a number such as 2027.1 may be January or October."""
    return isinstance(value, float) and _HALF_OCTOBER.fullmatch(repr(value)) is not None


def parse_date(text: str) -> CivilDate | None:
    """The date in one of the contract's spellings and any width; None for none or an impossible.

    `2027-06`, `2027.6`, `2027/6`, `2027年6月`, `202706`, each with or without a day; a time of day
    behind the day, as exports write it, is dropped.
    """
    found = _DATE.fullmatch(fold(_CLOCK.sub("", text)).translate(DASHES))
    if found is None:
        return None
    parts = found.groupdict()
    year = int(parts["y"])
    month = int(parts["m"] or parts["m2"] or parts["m3"])
    day = parts["d"] or parts["d2"] or parts["d3"]
    if not (_FIRST_YEAR <= year <= _LAST_YEAR and 1 <= month <= 12):
        return None
    last = calendar.monthrange(year, month)[1]
    if day is None:
        return CivilDate(date(year, month, last), exact=False)
    return CivilDate(date(year, month, int(day)), exact=True) if 1 <= int(day) <= last else None
