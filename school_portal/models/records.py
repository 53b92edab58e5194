"""Accounts of people, their sign-ins, the audit chain and wrapped keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from school_portal.domain.workflow import Role
from school_portal.extensions import db
from school_portal.models.organisations import School
from school_portal.models.types import UtcDateTime, choice


class User(db.Model):
    """A person who signs in; a school's operator belongs to that school alone."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(sa.String(64), unique=True)
    name: Mapped[str] = mapped_column(sa.String(50))
    password_hash: Mapped[str] = mapped_column(sa.String(200))
    role: Mapped[Role] = mapped_column(choice(Role))
    school_id: Mapped[int | None] = mapped_column(sa.ForeignKey("schools.id"))
    active: Mapped[bool] = mapped_column(default=True)
    email_sealed: Mapped[bytes | None]  # where notices are sent; bound to the username
    must_change_password: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    totp_sealed: Mapped[bytes | None]  # the second factor's secret; bound to the username
    totp_step: Mapped[int | None]  # the last 30 s step whose code was used; None: not confirmed

    school: Mapped[School | None] = relationship()
    more_roles: Mapped[list[UserRole]] = relationship(cascade="all, delete-orphan")
    passkeys: Mapped[list[Passkey]] = relationship(
        order_by="Passkey.id", cascade="all, delete-orphan", back_populates="user"
    )

    @property
    def roles(self) -> list[Role]:
        """Every role of the person, the one that a sign-in begins with first."""
        return [self.role, *sorted(one.role for one in self.more_roles)]

    @property
    def is_staff(self) -> bool:
        """Whether it is nobody of a school."""
        return self.role is not Role.SCHOOL

    @property
    def has_totp(self) -> bool:
        return self.totp_step is not None

    @property
    def has_second_factor(self) -> bool:
        """Whether there is a factor besides the password: codes, or a passkey."""
        return self.has_totp or bool(self.passkeys)


class UserRole(db.Model):
    """A role that a person has besides the first; a sign-in acts in one of them."""

    __tablename__ = "user_roles"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), primary_key=True)
    role: Mapped[Role] = mapped_column(choice(Role), primary_key=True)


class SignIn(db.Model):
    """A sign-in kept on the server; the cookie holds a random token, the table its hash."""

    __tablename__ = "sign_ins"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32), unique=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    role: Mapped[Role] = mapped_column(choice(Role))  # the one acted in
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # When the person last showed who they are; None while the second factor's code is awaited.
    proved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    by_key: Mapped[bool] = mapped_column(default=False, server_default=sa.false())  # a CA key's

    user: Mapped[User] = relationship()


class Passkey(db.Model):
    """A person's WebAuthn credential; the secret key never leaves their authenticator."""

    __tablename__ = "passkeys"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    credential_id: Mapped[bytes] = mapped_column(sa.LargeBinary(1023), unique=True)
    public_key: Mapped[bytes]  # COSE
    sign_count: Mapped[int] = mapped_column(sa.BigInteger)
    transports: Mapped[str] = mapped_column(sa.String(100))  # as the browser told, by spaces
    name: Mapped[str] = mapped_column(sa.String(50))  # the person's own
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    user: Mapped[User] = relationship(back_populates="passkeys")


class Challenge(db.Model):
    """A challenge not yet presented, as hashes; presenting it removes it."""

    __tablename__ = "challenges"

    challenge_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32), primary_key=True)
    bound_to: Mapped[bytes] = mapped_column(sa.LargeBinary(32))  # use, browser's cookie, origin
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class RecoveryCode(db.Model):
    """A code that stands in for the second factor once, as its hash; using it removes it."""

    __tablename__ = "recovery_codes"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32), primary_key=True)


class SignInDelay(db.Model):
    """Wrong attempts for a name or from an address, which stands as a keyed hash."""

    __tablename__ = "sign_in_delays"

    key_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32), primary_key=True)
    failures: Mapped[int]
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Invitation(db.Model):
    """A link by which a person sets name and password, as its token's hash; using it removes it."""

    __tablename__ = "invitations"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32), unique=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)

    user: Mapped[User] = relationship()


class StateChange(db.Model):
    """One move of one case, never changed: who, when, from where to where, and why."""

    __tablename__ = "state_changes"

    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(sa.String(100), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    role: Mapped[Role] = mapped_column(choice(Role))
    action: Mapped[str] = mapped_column(sa.String(32))
    label: Mapped[str] = mapped_column(sa.String(32))  # the action's Chinese name
    source: Mapped[str] = mapped_column(sa.String(32))
    target: Mapped[str] = mapped_column(sa.String(32))
    reason: Mapped[str] = mapped_column(sa.String(2000), default="")
    detail: Mapped[dict[str, Any]] = mapped_column(sa.JSON, default=dict)  # nothing personal

    user: Mapped[User | None] = relationship()


class AuditEvent(db.Model):
    """An event; each holds the hash of the one before: no change goes unnoticed (rulebook 11)."""

    __tablename__ = "audit_events"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    actor: Mapped[str] = mapped_column(sa.String(100), index=True)
    action: Mapped[str] = mapped_column(sa.String(64), index=True)
    subject: Mapped[str] = mapped_column(sa.String(100), index=True)
    detail: Mapped[dict[str, Any]] = mapped_column(sa.JSON)  # nothing personal
    previous: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    digest: Mapped[bytes] = mapped_column(sa.LargeBinary(32))


class AuditHead(db.Model):
    """The chain's end, one row: locked by whoever appends, so that a cut-off tail is noticed."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int]
    digest: Mapped[bytes] = mapped_column(sa.LargeBinary(32))


class WrappedKey(db.Model):
    """A key of the portal's own, encrypted under the key ring (the blind index's)."""

    __tablename__ = "wrapped_keys"

    name: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    sealed: Mapped[bytes]
