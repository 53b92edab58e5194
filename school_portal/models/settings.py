"""What the offices set: policies, extra windows, working days."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from school_portal.domain.workflow import Role
from school_portal.extensions import db
from school_portal.models.organisations import School
from school_portal.models.records import User
from school_portal.models.types import UtcDateTime, choice


class PolicyChange(db.Model):
    """One change of one policy setting, never changed itself; the newest of a name holds."""

    __tablename__ = "policy_changes"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(64), index=True)  # a field of domain Policy
    old: Mapped[Any] = mapped_column(sa.JSON)
    new: Mapped[Any] = mapped_column(sa.JSON)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    reason: Mapped[str] = mapped_column(sa.String(500))

    user: Mapped[User | None] = relationship()


class ExtraWindow(db.Model):
    """Days beyond April and October on which an office receives, from all or from one school."""

    __tablename__ = "extra_windows"

    id: Mapped[int] = mapped_column(primary_key=True)
    role: Mapped[Role] = mapped_column(choice(Role))  # the receiving office
    school_id: Mapped[int | None] = mapped_column(sa.ForeignKey("schools.id"))
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    reason: Mapped[str] = mapped_column(sa.String(500))
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    opened_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # taken back before its end

    school: Mapped[School | None] = relationship()
    opened_by: Mapped[User | None] = relationship()


class WorkdayYear(db.Model):
    """A year whose working days an administrator loaded, with the notice they come from."""

    __tablename__ = "workday_years"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    source: Mapped[str] = mapped_column(sa.String(200))
    days: Mapped[dict[str, str]] = mapped_column(sa.JSON)  # ISO date: "holiday" or "makeup"
    loaded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    loaded_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))

    loaded_by: Mapped[User | None] = relationship()
