"""Passwords, kept as argon2id hashes."""

from __future__ import annotations

import secrets
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

hasher = PasswordHasher()  # argon2id at RFC 9106's lower-memory settings; tests lower the cost


def hashed(password: str) -> str:
    """The hash to keep."""
    return hasher.hash(password)


def fits(password: str, kept: str | None) -> bool:
    """Whether the password is the one kept; takes as long where none is kept."""
    try:
        return hasher.verify(kept or _nobodys(hasher), password) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(kept: str) -> bool:
    """Whether the hash was made at another cost than the present one."""
    return hasher.check_needs_rehash(kept)


@lru_cache(maxsize=1)
def _nobodys(hasher: PasswordHasher) -> str:
    """A hash that no password fits, at the same cost."""
    return hasher.hash(secrets.token_hex())
