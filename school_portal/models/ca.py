"""What was signed with CA keys, and when CRLs past their dates counted."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from school_portal.domain.school_key import KeyState
from school_portal.extensions import db
from school_portal.models.cases import Case
from school_portal.models.organisations import School
from school_portal.models.records import User
from school_portal.models.types import UtcDateTime, choice


class CaSignature(db.Model):
    """A signature that was accepted, with the certificate and its revocation state of the moment.

    The certificate holds the keyID and is sealed, bound to `uid`. `crl_this_update` is None where
    no CRLs are configured: revocation was not known.
    """

    __tablename__ = "ca_signatures"

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(sa.String(32), unique=True)
    school_id: Mapped[int] = mapped_column(sa.ForeignKey("schools.id"), index=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    purpose: Mapped[str] = mapped_column(sa.String(32))
    message: Mapped[str] = mapped_column(sa.Text)
    signature: Mapped[bytes]
    certificate_sealed: Mapped[bytes]
    certificate_sha256: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    public_key_sha256: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    key_id_index: Mapped[bytes] = mapped_column(sa.LargeBinary(32), index=True)
    crl_this_update: Mapped[datetime | None] = mapped_column(UtcDateTime)
    crl_next_update: Mapped[datetime | None] = mapped_column(UtcDateTime)
    crl_override_id: Mapped[int | None] = mapped_column(sa.ForeignKey("crl_overrides.id"))


class SignedSubmission(db.Model):
    """One time that a paper was signed and handed in, never changed: its content and signature.

    `paper_uid` is the paper's own. The content is canonical JSON and may hold names: sealed, bound
    to its hash.
    """

    __tablename__ = "signed_submissions"

    id: Mapped[int] = mapped_column(primary_key=True)
    paper_uid: Mapped[str] = mapped_column(sa.String(32), index=True)
    arrived_at: Mapped[datetime] = mapped_column(UtcDateTime)
    digest: Mapped[str] = mapped_column(sa.String(64))  # SHA-256, hex
    content_sealed: Mapped[bytes]
    signature_id: Mapped[int] = mapped_column(sa.ForeignKey("ca_signatures.id"), unique=True)
    issuers: Mapped[list[str]] = mapped_column(sa.JSON)  # base64 of DER, the root last

    signature: Mapped[CaSignature] = relationship()


class SchoolKey(Case, db.Model):
    """A key pair that signed for a school with the keyID that the account had.

    The certificate is the one last presented with it; its dates are not known of what was taken
    over from signatures.
    """

    __tablename__ = "school_keys"
    __table_args__ = (sa.UniqueConstraint("school_id", "public_key_sha256"),)
    KIND = "key"

    school_id: Mapped[int] = mapped_column(sa.ForeignKey("schools.id"))
    public_key_sha256: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    certificate_sha256: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    not_before: Mapped[datetime | None] = mapped_column(UtcDateTime)
    not_after: Mapped[datetime | None] = mapped_column(UtcDateTime)
    first_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    state: Mapped[KeyState] = mapped_column(choice(KeyState), index=True)

    school: Mapped[School] = relationship()


class CrlOverride(db.Model):
    """An administrator's word that CRLs past their dates count, until a time."""

    __tablename__ = "crl_overrides"

    id: Mapped[int] = mapped_column(primary_key=True)
    granted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    until: Mapped[datetime] = mapped_column(UtcDateTime)  # taken back: when that was
    reason: Mapped[str] = mapped_column(sa.String(500))
    granted_by_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))

    granted_by: Mapped[User] = relationship()
