"""Who acts, and what is theirs: every look-up of a tenant's object starts here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.workflow import Role
from school_portal.models import School, User

T = TypeVar("T")


class NotFound(Exception):
    """There is no such object for this actor; another's object looks the same as none."""


class Refused(Exception):
    """A use case refuses; the text is Chinese, for the person who asked."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever asks: a signed-in person, or the command line (no user, no role)."""

    user_id: int | None
    role: Role | None
    school_id: int | None
    label: str  # for the audit trail

    @classmethod
    def of(cls, user: User, role: Role | None = None) -> Actor:
        """The person, in one of the roles; in the first where none is given."""
        return cls(user.id, role or user.role, user.school_id, f"user:{user.id}")

    @classmethod
    def operator_at_the_console(cls, school_id: int | None = None) -> Actor:
        return cls(None, None, school_id, "console")


def own(session: Session, actor: Actor, model: type[T], key: Any) -> T:
    """The object with that id if it belongs to the actor's school.

    Raises NotFound where it belongs to another school or does not exist.
    """
    columns: Any = model
    found = session.scalar(
        sa.select(model).where(columns.id == key, columns.school_id == actor.school_id)
    )
    if found is None:
        raise NotFound(model.__name__)
    return found


def school_of(session: Session, uscc: str) -> School:
    """The school with that code. Raises NotFound."""
    school = session.scalar(sa.select(School).where(School.uscc == uscc))
    if school is None:
        raise NotFound("School")
    return school


def hold(session: Session, row: Any) -> None:
    """Have the row alone until the transaction ends, everything read before read anew."""
    session.flush()
    session.expire_all()
    session.refresh(row, with_for_update=True)


def lock(session: Session, school_id: int | None) -> School:
    """The school, locked until the transaction ends."""
    return session.scalars(
        sa.select(School)
        .where(School.id == school_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
