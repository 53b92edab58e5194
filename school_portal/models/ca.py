"""Challenges for CA keys, what was signed with them, and when CRLs past their dates counted."""

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


class CaChallenge(db.Model):
    """A challenge not yet presented, as hashes; presenting it removes it."""

    __tablename__ = "ca_challenges"

    challenge_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32), primary_key=True)
    bound_to: Mapped[bytes] = mapped_column(sa.LargeBinary(32))  # the browser's cookie, the origin
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


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
