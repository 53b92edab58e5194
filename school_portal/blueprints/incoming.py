"""Requests as views meet them: fields of characters alone, and no upload in clear on the disk."""

from __future__ import annotations

import io
import os
import secrets
from tempfile import TemporaryFile
from typing import IO, Any, cast
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CTR
from flask import Flask, Request
from werkzeug.datastructures import ImmutableMultiDict, iter_multi_items
from werkzeug.routing import Map, UnicodeConverter

from school_portal.domain.plain_text import plain

MOST_IN_MEMORY = 500 * 1024  # bytes of a request whose files need no disk
_BLOCK = 16  # bytes, of AES


class PlainFields(ImmutableMultiDict[str, Any]):
    """What a query or a form holds, without characters that PostgreSQL, headers and XML refuse."""

    def __init__(self, fields: Any = ()) -> None:
        super().__init__(
            (plain(name), plain(value) if isinstance(value, str) else value)
            for name, value in iter_multi_items(fields)
        )


class SealedSpool(io.RawIOBase):
    """A temporary file that this object alone can read: its key is kept nowhere.

    It is written from front to end, once: a key stream must not serve two texts.
    """

    def __init__(self) -> None:
        self._file = TemporaryFile()  # noqa: SIM115  closed with this one
        self._key = secrets.token_bytes(32)
        self._sealing = self._cipher(block=0).encryptor()
        self._place = self._end = 0

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def write(self, text: Any) -> int:
        if self._place != self._end:
            raise io.UnsupportedOperation("written from front to end, once")
        self._file.seek(self._end)
        self._file.write(self._sealing.update(text))
        self._place = self._end = self._end + len(text)
        return len(text)

    def readinto(self, target: Any) -> int:
        block, beginning = divmod(self._place, _BLOCK)
        opening = self._cipher(block).decryptor()
        opening.update(bytes(beginning))
        self._file.seek(self._place)
        text = opening.update(self._file.read(len(target)))
        target[: len(text)] = text
        self._place += len(text)
        return len(text)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._end}[whence]
        self._place = start + offset
        return self._place

    def close(self) -> None:
        self._file.close()
        super().close()

    def _cipher(self, block: int) -> Cipher[CTR]:
        return Cipher(AES256(self._key), CTR(block.to_bytes(_BLOCK)))


class PlainRequest(Request):
    """A request whose fields are plain text, and whose large files are sealed as they arrive."""

    parameter_storage_class = PlainFields

    @property
    def referrer(self) -> str | None:  # type: ignore[override]
        """Where the visitor came from; None for what is no address, which nobody can compare."""
        told: str | None = super().referrer
        try:
            urlsplit(told or "")
        except ValueError:
            return None
        return told

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        if total_content_length is not None and total_content_length <= MOST_IN_MEMORY:
            return io.BytesIO()
        return cast(IO[bytes], io.BufferedRandom(SealedSpool()))


class PlainConverter(UnicodeConverter):
    """A word in an address; one with characters that no keyboard makes is no address at all."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map)
        self.regex = "[^/\x00-\x1f\x7f-\x9f]+"


def register(app: Flask) -> None:
    app.request_class = PlainRequest
    app.url_map.converters.update(default=PlainConverter, string=PlainConverter)
