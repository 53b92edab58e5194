"""Working days by the State Council's calendar, with make-up days (rulebook 3, WORKDAYS).

The table of 2024 to 2026, `data/workdays.csv`, was taken from chinesecalendar 1.11.0.
"""

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files

from school_portal.domain.labels import fold

_SATURDAY = 5
_FEWEST_HOLIDAYS = 5
_LINE = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?[,，:]?(放假|上班|holiday|makeup)", re.ASCII
)
_KINDS = {"放假": "holiday", "上班": "makeup", "holiday": "holiday", "makeup": "makeup"}
_COLUMNS = "date,kind"


class YearNotLoaded(Exception):
    """The calendar of the year is not loaded: its working days are not to be guessed."""

    def __init__(self, year: int) -> None:
        super().__init__(f"the working days of {year} are not loaded")
        self.year = year


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days off by holiday, weekend days worked, and the years for which both are known."""

    holidays: frozenset[date]
    makeup_days: frozenset[date]
    years: frozenset[int]

    def is_workday(self, day: date) -> bool:
        """Raises YearNotLoaded where the day's year is not loaded."""
        if day.year not in self.years:
            raise YearNotLoaded(day.year)
        return day in self.makeup_days or (day.weekday() < _SATURDAY and day not in self.holidays)

    def add_workdays(self, day: date, count: int) -> date:
        """The last of `count` working days after `day`, which itself does not count.

        Raises ValueError for a count below 1, YearNotLoaded where the count runs into a year
        that is not loaded.
        """
        if count < 1:
            raise ValueError("a count of working days begins at 1")
        while count:
            day += timedelta(days=1)
            count -= self.is_workday(day)
        return day

    def workdays_until(self, day: date, end: date) -> int:
        """How many working days lie after `day`, up to `end`; negative where it has passed.

        Raises YearNotLoaded.
        """
        first, last = sorted((day, end))
        days = (first + timedelta(days=step) for step in range(1, (last - first).days + 1))
        count = sum(self.is_workday(one) for one in days)
        return count if day <= end else -count

    def with_year(self, year: int, days: Mapping[date, str]) -> "Calendar":
        """This calendar with that year's days; what it knew of the year falls away."""

        def others(known: Iterable[date], kind: str) -> frozenset[date]:
            kept = {day for day in known if day.year != year}
            return frozenset(kept | {day for day, one in days.items() if one == kind})

        return Calendar(
            others(self.holidays, "holiday"),
            others(self.makeup_days, "makeup"),
            self.years | {year},
        )


@cache
def shipped() -> Calendar:
    """The table that comes with the portal."""
    table = files("school_portal").joinpath("data", "workdays.csv")
    return read_workdays(table.read_text(encoding="utf-8").splitlines())


class NoticeRefused(Exception):
    """A year's notice as typed has errors; each is a Chinese line."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__(f"{len(errors)} errors")
        self.errors = errors


def read_workdays(lines: Iterable[str]) -> Calendar:
    """A calendar from CSV with the columns date and kind (`holiday` or `makeup`).

    A year is loaded where it has a line. Raises KeyError or ValueError for other contents.
    """
    days: dict[str, set[date]] = {"holiday": set(), "makeup": set()}
    for line in csv.DictReader(lines):
        days[line["kind"]].add(date.fromisoformat(line["date"]))
    years = frozenset(day.year for kind in days.values() for day in kind)
    return Calendar(frozenset(days["holiday"]), frozenset(days["makeup"]), years)


def read_notice(year: int, text: str) -> dict[date, str]:
    """The days of a year's notice by date, `holiday` or `makeup`, from one line a day.

    A line is `2027-01-01 放假` or `2027-02-07 上班`, or CSV as `read_workdays` takes it. Raises
    NoticeRefused with every error at once.
    """
    days: dict[date, str] = {}
    first: dict[date, int] = {}
    errors = []
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), start=1):
        if not (folded := fold(line)) or folded == _COLUMNS:
            continue
        try:
            day, kind = _notice_line(year, folded)
        except ValueError as error:
            errors.append(f"第 {number} 行{error}")
            continue
        if day in days:
            errors.append(f"第 {number} 行的 {day} 与第 {first[day]} 行重复，请只保留一行。")
        else:
            days[day], first[day] = kind, number
    holidays = sum(kind == "holiday" for kind in days.values())
    if not errors and holidays < _FEWEST_HOLIDAYS:
        errors.append(f"只有 {holidays} 个放假日，像是不全，请对照通知补齐全年的安排。")
    if errors:
        raise NoticeRefused(errors)
    return days


def _notice_line(year: int, folded: str) -> tuple[date, str]:
    """Raises ValueError with what follows the line's number."""
    found = _LINE.fullmatch(folded)
    if found is None:
        raise ValueError("无法识别，请按“2027-01-01 放假”或“2027-02-07 上班”的样式填写。")
    try:
        day = date(*(int(part) for part in found.groups()[:3]))
    except ValueError:
        raise ValueError("的日期不存在，请核对后改正。") from None
    kind = _KINDS[found[4]]
    if day.year != year:
        raise ValueError(f"的 {day} 不在 {year} 年，请只填写该年的日期。")
    if kind == "makeup" and day.weekday() < _SATURDAY:
        raise ValueError(f"的 {day} 不是周六或周日，不会是调休上班日，请核对后改正。")
    return day, kind
