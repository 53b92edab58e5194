"""Values as text and as dates."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers.cells import Value, lost_digits, parse_date, text_of
from school_portal.domain.texts import DASHES

_JUNE = date(2027, 6, 30)


@pytest.mark.parametrize(
    "text",
    [
        "2027-06",
        "2027-6",
        "2027.6",
        "2027.06",
        "2027/6",
        "2027年6月",
        "2027 年 06 月",
        "202706",
        "２０２７年６月",
        "２０２７－０６",
        "２０２７／６",
        "２０２７．６",
        "2027\u201306",
        "2027\u20146",
        "2027 \u2012 06",
        "2027\u221206",
        "2027\ufe6306",
        "20\u200b27\u201106\u2069",
    ],
)
def test_a_month_stands_for_its_last_day(text: str) -> None:
    found = parse_date(text)
    assert found is not None
    assert (found.day, found.exact, found.text) == (_JUNE, False, "2027-06")


@pytest.mark.parametrize(
    "text",
    [
        "2027-06-30",
        "2027-6-30",
        "2027.6.30",
        "2027/06/30",
        "2027年6月30日",
        "2027年6月30",
        "20270630",
        "2027-06-30 00:00:00",
        "2027/6/30 8:30",
        "2027-06-30T00:00:00",
        "２０２７年６月３０日",
        "2027–06–30",
        "2027—6—30",
        "2027–06-30",
        "2027−06−30 00:00:00",
    ],
)
def test_a_day(text: str) -> None:
    found = parse_date(text)
    assert found is not None
    assert (found.day, found.exact, found.text) == (_JUNE, True, "2027-06-30")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2027",
        "27-06",
        "2027-13",
        "2027-00",
        "2027-06-31",
        "2027-02-29",
        "20270631",
        "202713",
        "2027-6/30",
        "6/30/2027",
        "30.06.2027",
        "2027年",
        "2027年6月底",
        "0207-06",
        "9999-12",
        "46568",
        "2027-06-30-01",
        "2027--06",
        "2027——06",
        "2027–06/30",
        "12:30",
        "2027-06 及以后",
    ],
)
def test_no_date(text: str) -> None:
    assert parse_date(text) is None


def test_february_of_a_leap_year() -> None:
    found = parse_date("2028-02")
    assert found is not None and found.day == date(2028, 2, 29)


@given(st.dates(date(1900, 1, 1), date(2199, 12, 31)))
def test_every_day_in_every_spelling(day: date) -> None:
    spellings = [
        f"{day:%Y-%m-%d}",
        f"{day:%Y%m%d}",
        f"{day.year}.{day.month}.{day.day}",
        f"{day.year}/{day.month}/{day.day}",
        f"{day.year}年{day.month}月{day.day}日",
        *(f"{day.year}{dash}{day.month}{dash}{day.day}" for dash in map(chr, DASHES)),
        text_of(day),
        text_of(datetime.combine(day, time())),
    ]
    assert {found.day for text in spellings if (found := parse_date(text))} == {day}
    assert all(parse_date(text) for text in spellings)


@given(st.text())
def test_dates_never_raise(text: str) -> None:
    found = parse_date(text)
    assert found is None or 1900 <= found.day.year <= 2199


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (20240001.0, "20240001"),
        (4.0, "4"),
        (-3.0, "-3"),
        (0.5, "0.5"),
        (2027.6, "2027.6"),
        (13812345678.0, "13812345678"),
        (True, "TRUE"),
        ("　 a b\u200b", "a b"),
        ("\u2067a\u00ad b\ufe0f", "a b"),
        (date(2027, 6, 30), "2027-06-30"),
        (datetime.fromisoformat("2027-06-30"), "2027-06-30"),
        (datetime.fromisoformat("2027-06-30T08:05"), "2027-06-30 08:05:00"),
        (float("inf"), "inf"),
        (time(3, 4), "03:04:00"),
        (timedelta(days=1), "1 day, 0:00:00"),
    ],
)
def test_text_of(value: Value, text: str) -> None:
    assert text_of(value) == text


@pytest.mark.parametrize(
    ("value", "lost"),
    [
        (3.1010420080102e17, True),
        (1e15, True),
        (999999999999999.0, False),
        (20240001.0, False),
        ("3.10104E+17", True),
        ("３．１Ｅ＋１７", True),
        ("310104200801020012", False),
        ("E+1234", False),
        (True, False),
    ],
)
def test_lost_digits(value: Value, lost: bool) -> None:
    assert lost_digits(value) is lost
