"""The working days that the portal knows: the shipped table and the years loaded since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from school_portal.domain.spans import Span, between
from school_portal.domain.texts import trimmed
from school_portal.domain.windows import civil_date
from school_portal.domain.workdays import Calendar, read_notice, shipped
from school_portal.domain.workflow import Role
from school_portal.models import WorkdayYear
from school_portal.security import audit
from school_portal.services.access import Actor, Refused
from school_portal.services.portal import Portal

YEARS = range(2020, 2100)
SHIPPED_SOURCE = "国务院办公厅当年部分节假日安排的通知（随平台提供）"


def calendar(session: Session) -> Calendar:
    """All years known; a loaded one replaces the shipped one."""
    known = shipped()
    for loaded in session.query(WorkdayYear):
        days = {date.fromisoformat(day): kind for day, kind in loaded.days.items()}
        known = known.with_year(loaded.year, days)
    return known


@dataclass(frozen=True, slots=True)
class Year:
    """A year that is known: its days in order with `holiday` or `makeup`; who loaded it."""

    year: int
    source: str
    days: list[tuple[date, str]]
    loaded: WorkdayYear | None

    def count(self, kind: str) -> int:
        return sum(one == kind for _, one in self.days)


def years(session: Session) -> list[Year]:
    """The years that are known, the latest first."""
    known, loaded = calendar(session), {one.year: one for one in session.query(WorkdayYear)}
    kinds = {"holiday": known.holidays, "makeup": known.makeup_days}
    return [
        Year(
            year,
            loaded[year].source if year in loaded else SHIPPED_SOURCE,
            sorted((day, kind) for kind in kinds for day in kinds[kind] if day.year == year),
            loaded.get(year),
        )
        for year in sorted(known.years, reverse=True)
    ]


@dataclass(frozen=True, slots=True)
class Reckoning:
    """The day on which somebody looks, with the working days that are known."""

    known: Calendar
    day: date

    def since(self, at: datetime | date) -> Span:
        """How long ago that was."""
        first = civil_date(at) if isinstance(at, datetime) else at
        return between(self.known, first, self.day)

    def until(self, due: date) -> Span:
        """How long is left to the end of that day."""
        return between(self.known, self.day, due)


def load_year(
    session: Session, portal: Portal, actor: Actor, year: int, source: str, text: str
) -> WorkdayYear:
    """Keep a year's working days from its notice; loaded again, the newer replaces the older.

    Raises NoticeRefused with every error of the text; Refused for whoever is no administrator,
    for a year out of range and without a source.
    """
    if actor.role is not Role.ADMIN:
        raise Refused(f"节假日安排由{Role.ADMIN.label}载入。")
    if year not in YEARS:
        raise Refused(f"年份须在 {YEARS.start} 至 {YEARS.stop - 1} 之间，请核对后填写。")
    if not trimmed(source):
        raise Refused("请写明所依据的通知。")
    days = {day.isoformat(): kind for day, kind in sorted(read_notice(year, text).items())}
    loaded = session.merge(
        WorkdayYear(
            year=year,
            source=trimmed(source),
            days=days,
            loaded_at=portal.clock(),
            loaded_by_id=actor.user_id,
        )
    )
    session.flush()
    audit.record(
        session,
        actor.label,
        "workdays.load",
        f"workdays:{year}",
        at=loaded.loaded_at,
        holidays=sum(kind == "holiday" for kind in days.values()),
        makeup=sum(kind == "makeup" for kind in days.values()),
    )
    return loaded
