"""Working days by the State Council's calendar, with make-up days (rulebook 3, WORKDAYS).

The table of 2024 to 2026, `data/workdays.csv`, was taken from chinesecalendar 1.11.0.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

_SATURDAY = 5


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


def read_workdays(lines: Iterable[str]) -> Calendar:
    """A calendar from CSV with the columns date and kind (`holiday` or `makeup`).

    A year is loaded where it has a line. Raises KeyError or ValueError for other contents.
    """
    days: dict[str, set[date]] = {"holiday": set(), "makeup": set()}
    for line in csv.DictReader(lines):
        days[line["kind"]].add(date.fromisoformat(line["date"]))
    years = frozenset(day.year for kind in days.values() for day in kind)
    return Calendar(frozenset(days["holiday"]), frozenset(days["makeup"]), years)
