"""AES-256-GCM under a ring of keys, newest first (rulebook 11)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_ID_SIZE = 4
NONCE_SIZE = 12
TAG_SIZE = 16
_HEAD_SIZE = KEY_ID_SIZE + NONCE_SIZE


class Unreadable(Exception):
    """What was sealed cannot be opened; the text is in Chinese and holds nothing of the content."""


def key_id(key: bytes) -> bytes:
    """The 4 bytes that name a key in front of all that it sealed: the head of its SHA-256."""
    return sha256(key).digest()[:KEY_ID_SIZE]


class KeyRing:
    """The keys in force; the first seals, each opens what it sealed.

    Sealed is: key id (4 bytes), random nonce (12), ciphertext with its tag (16). `reload` gives
    the keys anew where they have changed since it was last asked, otherwise None: a process that
    runs on while the keys are rotated seals under the new key at once.
    """

    def __init__(
        self, keys: Sequence[bytes], reload: Callable[[], Sequence[bytes] | None] | None = None
    ) -> None:
        self._reload = reload
        self._take(keys)

    def _take(self, keys: Sequence[bytes]) -> None:
        held = {key_id(key): (AESGCM(key), key) for key in keys}
        self._held, self._newest = held, key_id(keys[0])

    def refresh(self) -> None:
        """Takes the keys over that were changed meanwhile."""
        if self._reload and (keys := self._reload()):
            self._take(keys)

    @property
    def newest(self) -> bytes:
        """The id of the key that seals from now on."""
        self.refresh()
        return self._newest

    @property
    def key_ids(self) -> list[bytes]:
        """The ids of all keys held, newest first."""
        self.refresh()
        return list(self._held)

    def _find(self, identifier: bytes) -> tuple[AESGCM, bytes]:
        if identifier not in self._held:
            self.refresh()
        try:
            return self._held[identifier]
        except KeyError:
            raise Unreadable(f"密钥环中没有编号为 {identifier.hex()} 的密钥") from None

    def seal(self, plaintext: bytes, associated: bytes) -> bytes:
        """`plaintext` sealed under the newest key and bound to `associated`."""
        return self.seal_many([(plaintext, associated)])[0]

    def seal_many(self, cells: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
        """As `seal`, for many pairs of plaintext and associated data."""
        newest = self.newest
        encrypt = self._held[newest][0].encrypt
        cells = list(cells)
        nonces = memoryview(os.urandom(NONCE_SIZE * len(cells)))  # all in one call
        return [
            b"".join((newest, nonce := nonces[at : at + NONCE_SIZE], encrypt(nonce, *cell)))
            for at, cell in zip(range(0, len(nonces), NONCE_SIZE), cells, strict=True)
        ]

    def unseal(self, sealed: bytes, associated: bytes) -> bytes:
        """What was sealed with the same `associated`. Raises Unreadable."""
        sealed = bytes(sealed)
        cipher, _ = self._find(sealed[:KEY_ID_SIZE])
        try:
            return cipher.decrypt(sealed[KEY_ID_SIZE:_HEAD_SIZE], sealed[_HEAD_SIZE:], associated)
        except (InvalidTag, ValueError):
            raise Unreadable("密文与其所在位置或密钥不符，可能已被改动") from None

    def derive(self, identifier: bytes, salt: bytes, purpose: bytes) -> AESGCM:
        """A cipher with a key of its own for one file, from the key with that id (HKDF-SHA256).

        Raises Unreadable where the ring does not hold that key.
        """
        _, key = self._find(identifier)
        return AESGCM(HKDF(SHA256(), length=32, salt=salt, info=purpose).derive(key))
