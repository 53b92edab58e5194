"""Civil dates, periods, the academic year and the specialty-evaluation window (rulebook 3)."""

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

TZ = ZoneInfo("Asia/Shanghai")

_WINDOW_MONTHS = (4, 10)


@dataclass(frozen=True, slots=True)
class Period:
    """Both days inclusive; an empty end means none."""

    start: date | None = None
    end: date | None = None

    def covers(self, day: date) -> bool:
        """Whether the day lies within."""
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)

    @property
    def label(self) -> str:
        """2025-06-01 至 2028-05-31."""
        return f"{self.start or '未定'} 至 {self.end or '长期'}"


@dataclass(frozen=True, slots=True)
class Window:
    """Whether it is open, and the first and last instant of that window or of the next one."""

    open: bool
    opens: datetime
    closes: datetime


def _in_shanghai(instant: datetime) -> datetime:
    return instant.replace(tzinfo=TZ) if instant.tzinfo is None else instant.astimezone(TZ)


def civil_date(instant: datetime) -> date:
    """The day in Shanghai; a time without offset is Shanghai's."""
    return _in_shanghai(instant).date()


def months_before(instant: datetime, months: int) -> datetime:
    """The beginning of the civil day so many calendar months earlier, or of that month's last."""
    day = civil_date(instant)
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    last = monthrange(year, month + 1)[1]
    return datetime(year, month + 1, min(day.day, last), tzinfo=TZ)


def academic_year(day: date) -> tuple[date, date]:
    """First and last day, 1 September to 31 August, of the academic year that holds the day."""
    first = day.year if day.month >= 9 else day.year - 1
    return date(first, 9, 1), date(first + 1, 8, 31)


def specialty_window(instant: datetime, extra: Iterable[Period] = ()) -> Window:
    """The April or October window (沪职鉴中心〔2021〕17号 一1, 市教委职教处 2021-11-05 一1).

    Whole months; the last instant is 23:59:59.999999 of the last day. `extra` are the days that an
    office opened beyond them, each with both ends; what touches is one window. When closed, the
    next one.
    """
    now = _in_shanghai(instant)
    spans = [*_regular_windows(now.date()), *((p.start, p.end) for p in extra if p.start and p.end)]
    start, end = next(span for span in _joined(spans) if now.date() <= span[1])
    opens = datetime.combine(start, time.min, TZ)
    closes = datetime.combine(end, time.max, TZ)
    return Window(opens <= now <= closes, opens, closes)


def _regular_windows(day: date) -> list[tuple[date, date]]:
    """First and last day of each April and October, from the year before to the year after."""
    starts = [date(day.year + year, month, 1) for year in (-1, 0, 1) for month in _WINDOW_MONTHS]
    # The 40th day after a first of a month lies in the next month, whatever their lengths.
    return [(d, (d + timedelta(days=40)).replace(day=1) - timedelta(days=1)) for d in starts]


def _joined(spans: Iterable[tuple[date, date]]) -> list[tuple[date, date]]:
    """In order, those that overlap or follow at once made one."""
    joined: list[tuple[date, date]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1] + timedelta(days=1):
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined
