from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from school_portal.domain.windows import (
    TZ,
    Period,
    academic_year,
    civil_date,
    specialty_window,
)

LAST_OF_APRIL = datetime(2026, 4, 30, 23, 59, 59, 999999, TZ)


def window_of(year: int, month: int, days: int) -> tuple[datetime, datetime]:
    last = datetime(year, month, days, 23, 59, 59, 999999, TZ)
    return datetime(year, month, 1, tzinfo=TZ), last


APRIL, OCTOBER, NEXT_APRIL = (
    window_of(2026, 4, 30),
    window_of(2026, 10, 31),
    window_of(2027, 4, 30),
)


@pytest.mark.parametrize(
    ("instant", "is_open", "window"),
    [
        (datetime(2026, 3, 31, 23, 59, 59, 999999, TZ), False, APRIL),
        (datetime(2026, 4, 1, tzinfo=TZ), True, APRIL),
        (LAST_OF_APRIL, True, APRIL),
        (LAST_OF_APRIL.astimezone(UTC), True, APRIL),
        (LAST_OF_APRIL.replace(tzinfo=None), True, APRIL),
        (LAST_OF_APRIL + timedelta(microseconds=1), False, OCTOBER),
        (datetime(2026, 5, 1), False, OCTOBER),  # noqa: DTZ001
        (datetime(2026, 4, 30, 16, tzinfo=UTC), False, OCTOBER),
        (datetime(2026, 3, 31, 16, tzinfo=UTC), True, APRIL),
        (datetime(2026, 4, 30, 20, tzinfo=timezone(timedelta(hours=-5))), False, OCTOBER),
        (datetime(2026, 10, 1, tzinfo=TZ), True, OCTOBER),
        (datetime(2026, 10, 31, 23, 59, 59, 999999, TZ), True, OCTOBER),
        (datetime(2026, 11, 1, tzinfo=TZ), False, NEXT_APRIL),
        (datetime(2026, 12, 31, 23, tzinfo=UTC), False, NEXT_APRIL),
    ],
)
def test_the_specialty_window(
    instant: datetime, is_open: bool, window: tuple[datetime, datetime]
) -> None:
    found = specialty_window(instant)
    assert (found.open, (found.opens, found.closes)) == (is_open, window)


MAY_TENTH = datetime(2026, 5, 10, 23, 59, 59, 999999, TZ)


@pytest.mark.parametrize(
    ("extra", "instant", "is_open", "opens", "closes"),
    [
        # An extension joins the month it follows; a window of its own stands alone.
        ([(5, 1, 5, 10)], LAST_OF_APRIL, True, APRIL[0], MAY_TENTH),
        ([(5, 1, 5, 10)], datetime(2026, 5, 5, tzinfo=TZ), True, APRIL[0], MAY_TENTH),
        ([(5, 1, 5, 10)], MAY_TENTH + timedelta(microseconds=1), False, *OCTOBER),
        ([(4, 20, 5, 10)], datetime(2026, 4, 2, tzinfo=TZ), True, APRIL[0], MAY_TENTH),
        (
            [(5, 4, 5, 10)],
            datetime(2026, 5, 2, tzinfo=TZ),
            False,
            datetime(2026, 5, 4, tzinfo=TZ),
            MAY_TENTH,
        ),
        (
            [(6, 1, 6, 30), (5, 4, 5, 10)],
            datetime(2026, 5, 2, tzinfo=TZ),
            False,
            datetime(2026, 5, 4, tzinfo=TZ),
            MAY_TENTH,
        ),
        ([(4, 3, 4, 5)], datetime(2026, 4, 10, tzinfo=TZ), True, *APRIL),
    ],
)
def test_days_beyond_the_regular_windows(
    extra: list[tuple[int, int, int, int]],
    instant: datetime,
    is_open: bool,
    opens: datetime,
    closes: datetime,
) -> None:
    periods = [Period(date(2026, a, b), date(2026, c, d)) for a, b, c, d in extra]
    found = specialty_window(instant, periods)
    assert (found.open, found.opens, found.closes) == (is_open, opens, closes)


def test_the_windows_ends_are_written_in_shanghai_time() -> None:
    found = specialty_window(datetime(2026, 4, 15, tzinfo=UTC))
    assert found.opens.isoformat() == "2026-04-01T00:00:00+08:00"
    assert found.closes.isoformat() == "2026-04-30T23:59:59.999999+08:00"


@given(st.datetimes(datetime(1992, 1, 1), datetime(2100, 1, 1), timezones=st.timezones()))  # noqa: DTZ001
def test_a_window_is_open_in_april_and_october_only(instant: datetime) -> None:
    found = specialty_window(instant)
    assert found.open is (civil_date(instant).month in {4, 10})
    assert found.open is (found.opens <= instant <= found.closes)
    assert instant <= found.closes


@pytest.mark.parametrize(
    ("day", "first"),
    [
        (date(2026, 8, 31), 2025),
        (date(2026, 9, 1), 2026),
        (date(2026, 12, 31), 2026),
        (date(2027, 1, 1), 2026),
    ],
)
def test_academic_years(day: date, first: int) -> None:
    assert academic_year(day) == (date(first, 9, 1), date(first + 1, 8, 31))


@given(st.dates(date(1900, 1, 1), date(2200, 1, 1)))
def test_a_day_lies_in_its_academic_year(day: date) -> None:
    first, last = academic_year(day)
    assert first <= day <= last
    assert academic_year(first) == academic_year(last) == (first, last)


@pytest.mark.parametrize(
    ("period", "covered"),
    [
        (Period(), True),
        (Period(date(2026, 10, 15), date(2026, 10, 15)), True),
        (Period(date(2026, 10, 16)), False),
        (Period(None, date(2026, 10, 14)), False),
        (Period(date(2026, 10, 16), date(2026, 10, 14)), False),
    ],
)
def test_periods_are_inclusive(period: Period, covered: bool) -> None:
    assert period.covers(date(2026, 10, 15)) is covered


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2026, 10, 14, 16, tzinfo=UTC), date(2026, 10, 15)),
        (datetime(2026, 10, 14, 15, 59, 59, tzinfo=UTC), date(2026, 10, 14)),
        (datetime(2026, 10, 15, 23, 59), date(2026, 10, 15)),  # noqa: DTZ001
    ],
)
def test_civil_dates_are_shanghais(instant: datetime, day: date) -> None:
    assert civil_date(instant) == day
