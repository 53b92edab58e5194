"""Civil days, periods, academic years and windows (rulebook 3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

TZ = ZoneInfo("Asia/Shanghai")
WINDOW_MONTHS = (4, 10)
_LAST_MOMENT = timedelta(microseconds=1)


def civil_date(instant: datetime) -> date:
    """The day in Shanghai at that instant; one without an offset is Shanghai's own."""
    return _in_shanghai(instant).date()


def _in_shanghai(instant: datetime) -> datetime:
    return instant.replace(tzinfo=TZ) if instant.tzinfo is None else instant.astimezone(TZ)


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `start` to `end`, both included; an empty end means none."""

    start: date | None = None
    end: date | None = None

    def covers(self, day: date) -> bool:
        """Whether the day lies within."""
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)


def academic_year(day: date) -> Period:
    """1 September to 31 August around the day (`ACADEMIC-YEAR`)."""
    first = day.year if day.month >= 9 else day.year - 1
    return Period(date(first, 9, 1), date(first + 1, 8, 31))


@dataclass(frozen=True, slots=True)
class Window:
    """A window: open now, or the next one; its last moment is 23:59:59.999999 of its last day."""

    open: bool
    opens: datetime
    closes: datetime


def specialty_window(instant: datetime) -> Window:
    """The window for specialty evaluations around or after the instant (`WINDOW-SPECIALTY`).

    April and October, whole months (沪职鉴中心〔2021〕17号 一1).
    """
    moment = _in_shanghai(instant)
    for year in (moment.year, moment.year + 1):
        for month in WINDOW_MONTHS:
            opens = datetime.combine(date(year, month, 1), time.min, TZ)
            closes = datetime.combine(date(year, month + 1, 1), time.min, TZ) - _LAST_MOMENT
            if moment <= closes:
                return Window(opens <= moment, opens, closes)
    raise AssertionError("a window opens within a year")
