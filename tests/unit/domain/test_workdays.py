from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import school_portal.domain
from school_portal.domain.workdays import Calendar, YearNotLoaded, read_workdays

DATA = Path(school_portal.domain.__file__).parent.parent / "data" / "workdays.csv"


@pytest.fixture(scope="module")
def calendar() -> Calendar:
    with DATA.open(encoding="utf-8") as lines:
        return read_workdays(lines)


@pytest.mark.parametrize(
    ("start", "count", "end"),
    [
        ("2026-09-28", 5, "2026-10-10"),  # the national holiday, and Saturday the 10th worked
        ("2026-10-09", 1, "2026-10-10"),
        ("2026-10-10", 1, "2026-10-12"),
        ("2026-03-02", 5, "2026-03-09"),
        ("2026-03-07", 1, "2026-03-09"),
        ("2025-12-31", 1, "2026-01-04"),  # the Sunday is worked for the Friday
        ("2024-02-09", 1, "2024-02-18"),
    ],
)
def test_counting(calendar: Calendar, start: str, count: int, end: str) -> None:
    assert calendar.add_workdays(date.fromisoformat(start), count) == date.fromisoformat(end)


def test_a_year_not_loaded_is_said_not_guessed(calendar: Calendar) -> None:
    assert calendar.add_workdays(date(2026, 12, 30), 1) == date(2026, 12, 31)
    with pytest.raises(YearNotLoaded) as caught:
        calendar.add_workdays(date(2026, 12, 30), 2)
    assert caught.value.year == 2027


def test_only_the_days_counted_need_to_be_known(calendar: Calendar) -> None:
    assert calendar.add_workdays(date(2023, 12, 31), 1) == date(2024, 1, 2)


@pytest.mark.parametrize("count", [0, -1])
def test_a_count_begins_at_one(calendar: Calendar, count: int) -> None:
    with pytest.raises(ValueError, match="begins at 1"):
        calendar.add_workdays(date(2026, 3, 2), count)


@given(st.dates(date(2024, 1, 1), date(2026, 6, 30)), st.integers(1, 60))
def test_the_count_is_the_number_of_working_days(day: date, count: int) -> None:
    with DATA.open(encoding="utf-8") as lines:
        calendar = read_workdays(lines)
    end = calendar.add_workdays(day, count)
    days = [day + timedelta(days=n) for n in range(1, (end - day).days + 1)]
    assert sum(map(calendar.is_workday, days)) == count
    assert calendar.is_workday(end)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(KeyError):
        read_workdays(["date,kind", "2026-01-01,festival"])
