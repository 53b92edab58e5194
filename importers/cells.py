"""Values of cells as text and as dates; nothing is guessed."""

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from school_portal.domain.labels import fold


@dataclass(frozen=True, slots=True)
class Unusable:
    """A formula without a stored value (`shown` empty), or an error value such as #N/A."""

    shown: str = ""


Value = str | float | bool | date | datetime | time | timedelta | Unusable

# White space as Unicode has it, and the marks without width that copying leaves behind.
BLANKS = " \t\r\n\v\f\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
BLANKS += "\u200a\u200b\u200c\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff\x85"
# Private use, the replacement character, and controls, which no keyboard makes.
STRANGE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ue000-\uf8ff\ufffd-\uffff\U000f0000-\U0010ffff]"
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
        return value.strip(BLANKS)
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
    found = _DATE.fullmatch(fold(_CLOCK.sub("", text)))
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
