"""The working days of the years that are loaded (rulebook 3, `WORKDAYS`)."""

from __future__ import annotations

from importlib.resources import files

from sqlalchemy.orm import Session

from school_portal.domain.workdays import Calendar, read_workdays


def calendar(session: Session) -> Calendar:
    """The calendar that comes with the portal."""
    lines = files("school_portal").joinpath("data", "workdays.csv").read_text(encoding="utf-8")
    return read_workdays(lines.splitlines())
