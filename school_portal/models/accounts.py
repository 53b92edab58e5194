"""A school's account and the paper applications for it (annex 2), and for permissions."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from school_portal.domain.account import AccountState, OpeningKind, OpeningState
from school_portal.extensions import db
from school_portal.models.cases import Case, Numbered
from school_portal.models.organisations import Permission, ProjectColumns, School
from school_portal.models.records import User
from school_portal.models.types import UtcDateTime, choice


class SchoolAccount(Case, db.Model):
    """The state of a school's account; the days the rules ask for stand on the school."""

    __tablename__ = "school_accounts"
    KIND = "account"

    school_id: Mapped[int] = mapped_column(sa.ForeignKey("schools.id"), unique=True)
    state: Mapped[AccountState] = mapped_column(choice(AccountState))

    school: Mapped[School] = relationship()


class AccountOpening(Case, Numbered, db.Model):
    """An application to open an account, or to change its key or operator (annex 2)."""

    __tablename__ = "account_openings"
    KIND = "account-opening"

    school_id: Mapped[int] = mapped_column(sa.ForeignKey("schools.id"), index=True)
    kind: Mapped[OpeningKind] = mapped_column(choice(OpeningKind))
    state: Mapped[OpeningState] = mapped_column(
        choice(OpeningState), default=OpeningState.DRAFT, index=True
    )
    legal_representative: Mapped[str] = mapped_column(sa.String(50), default="")
    district: Mapped[str] = mapped_column(sa.String(50), default="")
    leader: Mapped[str] = mapped_column(sa.String(50), default="")
    leader_mobile_sealed: Mapped[bytes | None]
    contact: Mapped[str] = mapped_column(sa.String(50), default="")
    contact_mobile_sealed: Mapped[bytes | None]
    operator: Mapped[str] = mapped_column(sa.String(50), default="")
    operator_document_sealed: Mapped[bytes | None]
    key_id_sealed: Mapped[bytes | None]
    key_id_index: Mapped[bytes | None] = mapped_column(sa.LargeBinary(32), index=True)
    dual_certificate: Mapped[bool] = mapped_column(default=False)
    opinion: Mapped[str] = mapped_column(sa.String(1000), default="")
    handler: Mapped[str] = mapped_column(sa.String(50), default="")
    handled_on: Mapped[date | None]
    created_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    requested_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # On the receipt of that time; it contains a keyed hash, which may be made anew since.
    receipt_digest: Mapped[str | None] = mapped_column(sa.String(64))
    original_received_on: Mapped[date | None]

    school: Mapped[School] = relationship()
    lines: Mapped[list[OpeningLine]] = relationship(
        order_by="OpeningLine.id", cascade="all, delete-orphan"
    )


class OpeningLine(ProjectColumns, db.Model):
    """An occupation and level asked for in annex 2: the request for a qualification permission."""

    __tablename__ = "account_opening_lines"

    id: Mapped[int] = mapped_column(primary_key=True)
    opening_id: Mapped[int] = mapped_column(sa.ForeignKey("account_openings.id"), index=True)


class PermissionRequest(Numbered, db.Model):
    """Permissions asked for together; each line of it is a Permission with its own state."""

    __tablename__ = "permission_requests"

    id: Mapped[int] = mapped_column(primary_key=True)
    school_id: Mapped[int] = mapped_column(sa.ForeignKey("schools.id"), index=True)
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime)
    requested_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))

    school: Mapped[School] = relationship()
    requested_by: Mapped[User | None] = relationship()
    lines: Mapped[list[Permission]] = relationship(order_by=Permission.id)
