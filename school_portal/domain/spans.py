"""How long something has waited, and how long is left: in days and in working days."""

from dataclasses import dataclass
from datetime import date

from school_portal.domain.workdays import Calendar, YearNotLoaded

NEAR = 3  # from so many days on a deadline stands out


@dataclass(frozen=True, slots=True)
class Span:
    """Days from one day to another, the first not counted; negative where that lies behind.

    `workdays` is None where it touches a year whose working days are not loaded.
    """

    days: int
    workdays: int | None

    @property
    def is_over(self) -> bool:
        return self.days < 0

    @property
    def is_near(self) -> bool:
        """Few days are left, or none: working days, where they are known."""
        return (self.days if self.workdays is None else self.workdays) <= NEAR


def between(known: Calendar, first: date, last: date) -> Span:
    """The span from `first` to `last`."""
    try:
        workdays = known.workdays_until(first, last)
    except YearNotLoaded:
        workdays = None
    return Span((last - first).days, workdays)
