"""What the portal tells people: inside it, and by e-mail."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from school_portal.extensions import db
from school_portal.models.records import User
from school_portal.models.types import UtcDateTime


class Notice(db.Model):
    """A notice to one person. `token` keeps one from being given twice; `path` leads to the case.

    E-mail goes to whoever has an address: `mailed_at` is when, `mail_error` why not.
    """

    __tablename__ = "notices"
    __table_args__ = (
        sa.UniqueConstraint("user_id", "token"),
        sa.Index("ix_notices_to_mail", "mail_wanted", "mailed_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    token: Mapped[str] = mapped_column(sa.String(120))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    title: Mapped[str] = mapped_column(sa.String(200))  # nothing personal
    text: Mapped[str] = mapped_column(sa.String(2000), default="")
    path: Mapped[str] = mapped_column(sa.String(200), default="")
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    mail_wanted: Mapped[bool] = mapped_column(default=False)
    mailed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    mail_attempts: Mapped[int] = mapped_column(default=0)
    mail_error: Mapped[str | None] = mapped_column(sa.String(200))

    user: Mapped[User] = relationship()
