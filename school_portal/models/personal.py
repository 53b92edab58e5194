"""What was done with one person's data on request: by whom, when and why."""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from school_portal.domain.personal import PersonalAction
from school_portal.extensions import db
from school_portal.models.records import User
from school_portal.models.types import UtcDateTime, choice


class PersonalAct(db.Model):
    """One reading, export, correction or deletion; never changed.

    `before_sealed` is what a correction replaced, bound to `uid`; it goes with the person.
    """

    __tablename__ = "personal_acts"

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(sa.String(32), unique=True, default=lambda: uuid.uuid4().hex)
    subject: Mapped[str] = mapped_column(sa.String(100), index=True)
    school_id: Mapped[int] = mapped_column(sa.ForeignKey("schools.id"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    action: Mapped[PersonalAction] = mapped_column(choice(PersonalAction))
    reason: Mapped[str] = mapped_column(sa.String(500))
    before_sealed: Mapped[bytes | None]

    user: Mapped[User | None] = relationship()
