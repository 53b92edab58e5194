"""Random challenges for keys and passkeys: each good once, for two minutes, in one browser."""

from __future__ import annotations

import secrets
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.models import Challenge

LIFETIME = timedelta(minutes=2)
SIZE = 32  # bytes


class Unknown(Exception):
    """Nobody gave that challenge to this browser for this use, or it was used, or is too old."""


class Use(StrEnum):
    """What a challenge is given for."""

    CA_KEY = "ca-key"
    PASSKEY_ADD = "passkey-add"
    PASSKEY_SIGN_IN = "passkey-sign-in"
    PASSKEY_CODE = "passkey-code"
    PASSKEY_PROOF = "passkey-proof"


@dataclass(frozen=True, slots=True)
class Visit:
    """Where a challenge was asked for: the browser, by a secret in its cookie, and the origin."""

    browser: str
    origin: str


def issue(session: Session, now: datetime, visit: Visit, use: Use) -> tuple[str, datetime]:
    """32 random bytes in base64 and when they expire; good once, for that visit and use."""
    text, expires_at = b64encode(secrets.token_bytes(SIZE)).decode(), now + LIFETIME
    session.execute(sa.delete(Challenge).where(Challenge.expires_at <= now))
    bound_to = _bound_to(visit, use)
    session.add(Challenge(challenge_hash=_hash(text), bound_to=bound_to, expires_at=expires_at))
    return text, expires_at


def spend(session: Session, now: datetime, visit: Visit, use: Use, text: str) -> None:
    """Removed by whoever presents it first, whatever comes of it. Raises Unknown."""
    found = session.execute(
        sa.delete(Challenge)
        .where(Challenge.challenge_hash == _hash(text))
        .returning(Challenge.bound_to, Challenge.expires_at)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if found is None or found.bound_to != _bound_to(visit, use) or found.expires_at <= now:
        raise Unknown


def _bound_to(visit: Visit, use: Use) -> bytes:
    return sha256(f"{use}\n{visit.browser}\n{visit.origin}".encode()).digest()


def _hash(text: str) -> bytes:
    return sha256(text.encode()).digest()
