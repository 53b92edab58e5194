"""Civil dates, periods, the academic year and the specialty-evaluation window (rulebook 3)."""

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


def academic_year(day: date) -> tuple[date, date]:
    """First and last day, 1 September to 31 August, of the academic year that holds the day."""
    first = day.year if day.month >= 9 else day.year - 1
    return date(first, 9, 1), date(first + 1, 8, 31)


def specialty_window(instant: datetime) -> Window:
    """The April or October window (沪职鉴中心〔2021〕17号 一1, 市教委职教处 2021-11-05 一1).

    Whole months; the last instant is 23:59:59.999999 of the last day. When closed, the next one.
    """
    now = _in_shanghai(instant)
    starts = [date(now.year, month, 1) for month in _WINDOW_MONTHS]
    starts.append(date(now.year + 1, _WINDOW_MONTHS[0], 1))
    # The 40th day after a first of a month lies in the next month, whatever their lengths.
    ends = [(day + timedelta(days=40)).replace(day=1) - timedelta(days=1) for day in starts]
    start, end = next(pair for pair in zip(starts, ends, strict=True) if now.date() <= pair[1])
    opens = datetime.combine(start, time.min, TZ)
    closes = datetime.combine(end, time.max, TZ)
    return Window(opens <= now <= closes, opens, closes)
