"""Delays after wrong passwords and codes, growing, for a name and for an address.

Kept in the database, for all processes. A name that nobody has is delayed as any other.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.texts import trimmed
from school_portal.models import SignInDelay, dialect
from school_portal.services.portal import Portal

FIRST_DELAY = timedelta(seconds=30)  # doubled by each further failure
LONGEST_DELAY = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(days=1)  # without a failure
NAME_FAILURES = 5  # from which on there is a delay
ADDRESS_FAILURES = 50  # a school's many desks share one address


class Locked(Exception):
    """Too many wrong attempts; nothing was compared."""

    def __init__(self, until: datetime) -> None:
        super().__init__("locked")
        self.until = until


@dataclass(frozen=True, slots=True)
class Attempt:
    """For whom a password or a code is given, and from where; no address where a proxy hides it."""

    name: str
    address: str | None = None


def begin(session: Session, portal: Portal, attempt: Attempt) -> None:
    """Count an attempt as failed, before anything is compared; the caller commits either way.

    The rows stay locked: of attempts at once each is counted. Raises Locked.
    """
    now = portal.clock()
    session.execute(sa.delete(SignInDelay).where(SignInDelay.at < now - FORGOTTEN_AFTER))
    rows = [(_row(session, key, now), free) for key, free in _keys(portal, attempt)]
    waits = [row.until for row, _ in rows if row.until is not None and row.until > now]
    if waits:
        raise Locked(max(waits))
    for row, free in rows:
        row.failures += 1
        row.at = now
        row.until = now + _delay(row.failures - free) if row.failures >= free else None


def succeed(session: Session, portal: Portal, attempt: Attempt, *, wholly: bool = True) -> None:
    """After `begin`: it was no failure. The name's are forgotten, the address's others stay.

    Not wholly, while a code is awaited yet: then the name's stay too.
    """
    (name, _), *others = _keys(portal, attempt)
    if wholly:
        session.execute(sa.delete(SignInDelay).where(SignInDelay.key_hash == name))
    for key, _ in others:
        session.execute(
            sa.update(SignInDelay)
            .where(SignInDelay.key_hash == key)
            .values(failures=SignInDelay.failures - 1, until=None)
        )


def _delay(doublings: int) -> timedelta:
    return min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(doublings, 10))


def keyed(portal: Portal, kind: str, text: str) -> bytes:
    """What is kept of a name or an address; a new session key forgets all of them."""
    secret = portal.settings.session_keys[0].encode()
    return hmac.digest(secret, f"{kind}\n{text}".encode(), "sha256")


def _keys(portal: Portal, attempt: Attempt) -> Iterator[tuple[bytes, int]]:
    """A name may hold somebody's document number by mistake: only a keyed hash is kept."""
    for kind, text, free in (
        ("name", trimmed(attempt.name).casefold(), NAME_FAILURES),
        ("address", attempt.address, ADDRESS_FAILURES),
    ):
        if text is not None:
            yield keyed(portal, kind, text), free


def _row(session: Session, key: bytes, now: datetime) -> SignInDelay:
    dialect.ensure_row(session, SignInDelay.__table__, {"key_hash": key, "failures": 0, "at": now})
    return session.scalars(
        sa.select(SignInDelay)
        .where(SignInDelay.key_hash == key)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
