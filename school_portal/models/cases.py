"""What every case has, whatever its table."""

from __future__ import annotations

import uuid
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column


class Case:
    """A row with `id`, `state` and `version`; its subject names it in history and audit."""

    KIND: ClassVar[str]

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=0)

    @property
    def subject(self) -> str:
        return f"{self.KIND}:{self.id}"


class Numbered:
    """A paper with a number once it is handed in, and a random name of its own.

    `uid` stands in verification addresses, and sealed columns are bound to it.
    """

    uid: Mapped[str] = mapped_column(sa.String(32), unique=True, default=lambda: uuid.uuid4().hex)
    number: Mapped[str | None] = mapped_column(sa.String(32), unique=True)

    @property
    def row_key(self) -> bytes:
        return self.uid.encode()
