"""Personal data at rest: sealed columns, and the keyed hashes by which they are found."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Literal

from sqlalchemy.orm import Session

from school_portal.models import dialect
from school_portal.models.records import WrappedKey
from school_portal.security.cipher import KeyRing, Unreadable

IndexKind = Literal["person", "mobile", "key-id", "receipt"]
KINDS: tuple[IndexKind, ...] = ("person", "mobile", "key-id", "receipt")
INDEX_KEY = "index"
# RFC 2104's ipad and opad.
_INNER_PAD = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD = bytes(byte ^ 0x5C for byte in range(256))


@lru_cache(maxsize=64)
def _place(table: str, column: str) -> bytes:
    """Table and column, each behind its length, so that no two places read the same."""
    return b"".join(bytes([len(part)]) + part for part in (table.encode(), column.encode()))


_INDEX_KEY_PLACE = _place("wrapped_keys", "sealed") + INDEX_KEY.encode()


class Vault:
    """Seals texts into their place, and hashes them under a key of its own to be found again."""

    def __init__(self, ring: KeyRing, index_key: bytes) -> None:
        self.ring = ring
        # HMAC's two halves, keyed once; copying them is half the price of copying an HMAC object.
        padded = index_key.ljust(sha256().block_size, b"\0")
        self._outer = sha256(padded.translate(_OUTER_PAD))
        self._inner = {
            kind: sha256(padded.translate(_INNER_PAD) + kind.encode() + b"\0") for kind in KINDS
        }

    @classmethod
    def create(cls, session: Session, ring: KeyRing) -> Vault:
        """The vault, its index key made and kept sealed where there is none yet."""
        sealed = ring.seal(secrets.token_bytes(32), _INDEX_KEY_PLACE)
        dialect.ensure_row(session, WrappedKey.__table__, {"name": INDEX_KEY, "sealed": sealed})
        return cls.open(session, ring)

    @classmethod
    def open(cls, session: Session, ring: KeyRing) -> Vault:
        """The vault of an initialised database. Raises Unreadable where the keys do not fit it."""
        return cls.unwrap(ring, wrapped(session))

    @classmethod
    def unwrap(cls, ring: KeyRing, sealed: bytes) -> Vault:
        """The vault whose index key is sealed so. Raises Unreadable."""
        return cls(ring, ring.unseal(sealed, _INDEX_KEY_PLACE))

    @classmethod
    def replace(cls, session: Session, ring: KeyRing, now: datetime) -> tuple[Vault, bool]:
        """The vault with a new index key; whoever calls it makes every hash anew.

        The old one is kept under the second of its end, where it can still be opened: documents
        on older receipts are hashed under it. Whether it was, comes with the vault.
        """
        kept = session.get(WrappedKey, INDEX_KEY) or WrappedKey(name=INDEX_KEY, sealed=b"")
        opened = False
        with suppress(Unreadable):
            old, name = (
                ring.unseal(kept.sealed, _INDEX_KEY_PLACE),
                f"{INDEX_KEY}-{now:%Y%m%d%H%M%S}",
            )
            sealed = ring.seal(old, place_of("wrapped_keys", "sealed", name.encode()))
            session.add(WrappedKey(name=name, sealed=sealed))
            opened = True
        fresh = secrets.token_bytes(32)
        kept.sealed = ring.seal(fresh, _INDEX_KEY_PLACE)
        session.add(kept)
        return cls(ring, fresh), opened

    def seal(self, table: str, column: str, row_key: bytes, text: str) -> bytes:
        """`text` sealed into one cell: it opens nowhere else."""
        return self.ring.seal(text.encode(), place_of(table, column, row_key))

    def seal_many(self, table: str, column: str, cells: Iterable[tuple[bytes, str]]) -> list[bytes]:
        """As `seal`, for many pairs of row key and text of one column."""
        place = _place(table, column)
        return self.ring.seal_many((text.encode(), place + row_key) for row_key, text in cells)

    def unseal(self, table: str, column: str, row_key: bytes, sealed: bytes) -> str:
        """The text of a sealed cell. Raises Unreadable."""
        return self.ring.unseal(sealed, place_of(table, column, row_key)).decode()

    def index(self, kind: IndexKind, text: str) -> bytes:
        """The keyed hash (HMAC-SHA256, 32 bytes) by which `text` is found and kept unique."""
        return self.index_many(kind, (text,))[0]

    def index_many(self, kind: IndexKind, texts: Iterable[str]) -> list[bytes]:
        """As `index`, for many texts of one kind."""
        keyed, finishing, hashes = self._inner[kind].copy, self._outer.copy, []
        for text in texts:
            inner, outer = keyed(), finishing()
            inner.update(text.encode())
            outer.update(inner.digest())
            hashes.append(outer.digest())
        return hashes


def wrapped(session: Session) -> bytes:
    """The index key as it is kept, sealed; asked for once a transaction. Raises Unreadable."""
    kept = session.info[INDEX_KEY] = session.get(WrappedKey, INDEX_KEY)  # held: it is weakly known
    if kept is None:
        raise Unreadable(
            "数据库中没有索引密钥：新的数据库请运行 school-portal init，丢失了的请运行"
            " school-portal keys reindex"
        )
    return kept.sealed


def place_of(table: str, column: str, row_key: bytes) -> bytes:
    """What binds a sealed cell to its place: the associated data."""
    return _place(table, column) + row_key
