"""Files, encrypted: a folder or S3 behind one interface; names that tell nothing.

A file is: key id (4 bytes), salt (32), then chunks of 1 MiB, each sealed under a key derived for
this file alone with a nonce of counter and last-chunk flag (the STREAM construction): a chunk
cut off, moved or taken from another file does not open.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import unquote, urlsplit

import obstore
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import ObjectStore, from_url

from school_portal import private
from school_portal.config import PREFIX, SettingsError
from school_portal.security.cipher import KEY_ID_SIZE, TAG_SIZE, KeyRing, Unreadable
from school_portal.streams import CHUNK_SIZE, Measured, Pieces, read_chunk

_SALT_SIZE = 32
_HEAD_SIZE = KEY_ID_SIZE + _SALT_SIZE


class StorageFailed(OSError):
    """The store does not answer or takes nothing; the text is Chinese, for whoever waits."""

    def __init__(self, told: str = "文件存储暂时无法使用，不是文件的问题，请稍后重试。") -> None:
        super().__init__(told)


class FileMissing(StorageFailed, FileNotFoundError):
    """The store has no file of that name."""

    def __init__(self) -> None:
        super().__init__("存储中没有这份文件，请联系平台管理人员。")


@contextmanager
def _reaching() -> Iterator[None]:
    """What a store raises, whichever it is, as StorageFailed."""
    try:
        yield
    except StorageFailed:
        raise
    except (NotFoundError, FileNotFoundError):
        raise FileMissing from None
    except (BaseError, OSError) as error:
        raise StorageFailed from error


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that was put: its name in the store, SHA-256 (hex) and size (bytes) of the content."""

    key: str
    sha256: str
    size: int


class Storage:
    """The files of one portal. `url` is `file:///folder` or `s3://bucket/prefix`.

    Raises SettingsError for any other, and StorageFailed from all that it does.
    """

    def __init__(self, url: str, ring: KeyRing) -> None:
        self._folder = _folder_at(url)
        self._store = _store_at(url)
        self._ring = ring

    def put(self, stream: BinaryIO, limit: int) -> Stored:
        """Keeps what the stream holds, under a new random name.

        It is on the disk when this returns: a receipt may say so. The ciphertext is held in memory
        until it is whole: a store refuses to overwrite only what comes in one piece. Raises
        TooLarge beyond `limit` bytes; then nothing is kept.
        """
        token = secrets.token_hex(20)
        key = f"{token[:2]}/{token[2:]}"
        reader = Measured(stream, limit)
        self._write(key, self._sealed(key, reader))
        return Stored(key, reader.digest.hexdigest(), reader.size)

    def open(self, key: str) -> BinaryIO:
        """The content, decrypted as it is read, from front to end.

        Raises FileMissing; reading raises Unreadable where the file is not as it was put.
        """
        return cast(BinaryIO, io.BufferedReader(Pieces(self._chunks(key)), CHUNK_SIZE))

    def delete(self, key: str) -> None:
        """Removes the file; one that is not there is no error."""
        with suppress(FileMissing), _reaching():
            obstore.delete(self._store, key)

    def names(self) -> Iterator[str]:
        """The names of all files."""
        with _reaching():
            for batch in obstore.list(self._store):
                yield from (entry["path"] for entry in batch)

    def names_older_than(self, age: timedelta) -> list[str]:
        """The names of files that were put so long ago, by the store's own clock."""
        now = self._now()
        with _reaching():
            return [
                entry["path"]
                for batch in obstore.list(self._store)
                for entry in batch
                if now - entry["last_modified"] > age
            ]

    def drop_drafts(self, age: timedelta) -> None:
        """Removes what was begun so long ago and never put: whoever wrote it was killed."""
        if self._folder is None:  # of S3, nothing in parts is asked for
            return
        before = (self._now() - age).timestamp()
        for draft in self._folder.glob(f"*/*{private.DRAFT_MARK}*"):
            with suppress(FileNotFoundError):
                if draft.stat().st_mtime < before:
                    draft.unlink()

    def copy(self, key: str, target: Path) -> None:
        """Writes the file as it is kept, encrypted. Raises FileNotFoundError."""
        try:
            kept = obstore.get(self._store, key)
        except NotFoundError:
            raise FileNotFoundError("文件不在存储中") from None
        target.touch(mode=0o600, exist_ok=False)
        with target.open("wb") as file:
            for piece in kept.stream(min_chunk_size=CHUNK_SIZE):
                file.write(piece)

    def key_id(self, key: str) -> bytes:
        """The id of the encryption key that the file is under. Raises FileMissing."""
        with _reaching():
            return bytes(obstore.get_range(self._store, key, start=0, end=KEY_ID_SIZE))

    def reseal(self, key: str) -> None:
        """Encrypts the file anew under the newest key, in its place, in one step."""
        with self.open(key) as content:
            sealed = self._sealed(key, content)
        self._write(key, sealed, replace=True)

    def probe(self) -> None:
        """Puts a file, reads it and removes it; raises what fails."""
        content = secrets.token_bytes(16)
        stored = self.put(io.BytesIO(content), len(content))
        try:
            with self.open(stored.key) as file:
                if file.read() != content:
                    raise Unreadable("存储读回的内容与写入的不一致")
        finally:
            self.delete(stored.key)

    def _now(self) -> datetime:
        """The time of whoever keeps the files: another machine's clock would call fresh ones old.

        A file is put to see it.
        """
        key = self.put(io.BytesIO(), 0).key
        try:
            with _reaching():
                return obstore.head(self._store, key)["last_modified"]
        finally:
            self.delete(key)

    def _write(self, key: str, sealed: bytearray, *, replace: bool = False) -> None:
        """S3 says that it has the file once it is kept; a disk has to be asked for it."""
        with _reaching():
            if self._folder is not None:
                path = self._folder / key
                private.folder(path.parent)
                private.write(path, sealed, replace=replace)
            elif replace:
                obstore.put(self._store, key, sealed, use_multipart=False)
            else:
                obstore.put(self._store, key, sealed, mode="create")

    def _sealed(self, key: str, stream: BinaryIO | Measured) -> bytearray:
        sealed = bytearray()
        for part in self._encrypt(key, stream):
            sealed += part
        return sealed

    def _encrypt(self, key: str, stream: BinaryIO | Measured) -> Iterator[bytes]:
        identifier, salt = self._ring.newest, secrets.token_bytes(_SALT_SIZE)
        cipher = self._ring.derive(identifier, salt, _purpose(key))
        yield identifier + salt
        chunk, counter = read_chunk(stream), 0
        while len(chunk) == CHUNK_SIZE and (following := read_chunk(stream)):
            yield cipher.encrypt(_nonce(counter, last=False), chunk, None)
            chunk, counter = following, counter + 1
        yield cipher.encrypt(_nonce(counter, last=True), chunk, None)

    def _chunks(self, key: str) -> Iterator[bytes]:
        with _reaching():
            pieces = obstore.get(self._store, key).stream(min_chunk_size=CHUNK_SIZE)
        return self._decrypt(key, _arriving(pieces))

    def _decrypt(self, key: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The chunks; one is the last where nothing follows it."""
        buffer, sealed_size, counter = bytearray(), CHUNK_SIZE + TAG_SIZE, 0
        cipher: AESGCM | None = None
        for piece in pieces:
            buffer += memoryview(piece)
            if cipher is None and len(buffer) >= _HEAD_SIZE:
                cipher = self._cipher_of(key, bytes(buffer[:_HEAD_SIZE]))
                del buffer[:_HEAD_SIZE]
            while cipher and len(buffer) > sealed_size:
                yield _opened(cipher, _nonce(counter, last=False), buffer[:sealed_size])
                del buffer[:sealed_size]
                counter += 1
        if cipher is None:
            raise Unreadable("存储的文件不完整")
        yield _opened(cipher, _nonce(counter, last=True), buffer)

    def _cipher_of(self, key: str, head: bytes) -> AESGCM:
        return self._ring.derive(head[:KEY_ID_SIZE], head[KEY_ID_SIZE:], _purpose(key))


def _folder_at(url: str) -> Path | None:
    """The folder of a URL, made where it is absent; None for a store that is none."""
    if not url.startswith("file://"):
        return None
    folder = Path(unquote(urlsplit(url).path))
    if not folder.is_absolute():
        raise SettingsError(f"设置 {PREFIX}STORAGE_URL 须写明绝对路径，如 file:///srv/portal-files")
    try:
        private.folder(folder)
        for part in folder.glob("[0-9a-f][0-9a-f]"):  # of earlier versions, open to others
            private.close(part)
    except OSError:
        raise SettingsError(f"设置 {PREFIX}STORAGE_URL 的目录无法建立或打开") from None
    return folder


def _arriving(pieces: Iterable[bytes]) -> Iterator[bytes]:
    with _reaching():
        yield from pieces


def _store_at(url: str) -> ObjectStore:
    """The store of a URL. Raises SettingsError."""
    try:
        if url.startswith("file://"):
            return from_url(url)
        if url.startswith("s3://"):
            return from_url(url)
    except (BaseError, OSError):
        raise SettingsError(f"设置 {PREFIX}STORAGE_URL 无法使用：地址、权限或凭据不对") from None
    raise SettingsError(f"设置 {PREFIX}STORAGE_URL 须以 file:// 或 s3:// 开头")


def _purpose(key: str) -> bytes:
    """Binds a file's key to the file's name, so that files cannot change places."""
    return b"school-portal/file/" + key.encode()


def _nonce(counter: int, *, last: bool) -> bytes:
    return counter.to_bytes(11, "big") + bytes([last])


def _opened(cipher: AESGCM, nonce: bytes, sealed: bytes | bytearray) -> bytes:
    try:
        return cipher.decrypt(nonce, bytes(sealed), None)
    except (InvalidTag, ValueError):
        raise Unreadable("存储的文件不完整或已被改动") from None
