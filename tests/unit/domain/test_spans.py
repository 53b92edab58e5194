"""How long something has waited and how long is left, in days and in working days."""

from __future__ import annotations

from datetime import date

import pytest

from school_portal.domain.spans import Span, between
from school_portal.domain.workdays import shipped

THURSDAY = date(2026, 10, 15)


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (THURSDAY, THURSDAY, Span(0, 0)),
        (THURSDAY, date(2026, 10, 19), Span(4, 2)),  # over a weekend
        (date(2026, 9, 30), date(2026, 10, 12), Span(12, 4)),  # a week off, a Saturday worked
        (THURSDAY, date(2026, 10, 13), Span(-2, -2)),
        (THURSDAY, date(2027, 1, 4), Span(81, None)),  # not loaded: not guessed
    ],
)
def test_days_and_working_days(first: date, last: date, expected: Span) -> None:
    assert between(shipped(), first, last) == expected


@pytest.mark.parametrize(
    ("span", "near", "over"),
    [
        (Span(4, 4), False, False),
        (Span(5, 3), True, False),  # by working days
        (Span(3, None), True, False),
        (Span(4, None), False, False),
        (Span(0, 0), True, False),
        (Span(-1, 0), True, True),
    ],
)
def test_a_deadline_stands_out_from_three_days_on(span: Span, near: bool, over: bool) -> None:
    assert (span.is_near, span.is_over) == (near, over)
