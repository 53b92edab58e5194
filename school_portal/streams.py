"""Streams of bytes that are measured, cut into chunks, and put together again."""

from __future__ import annotations

import io
from collections.abc import Iterator
from hashlib import sha256
from typing import BinaryIO

CHUNK_SIZE = 1024 * 1024


class TooLarge(Exception):
    """The stream goes on beyond `limit` bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"文件超过 {limit} 字节")
        self.limit = limit


def read_chunk(stream: BinaryIO | Measured) -> bytes:
    """A whole chunk, or what is left: a network stream hands out less than it is asked for."""
    parts, wanted = [], CHUNK_SIZE
    while wanted and (part := stream.read(wanted)):
        parts.append(part)
        wanted -= len(part)
    return b"".join(parts)


class Measured:
    """A stream that counts and hashes what is read through it, up to a limit."""

    def __init__(self, stream: BinaryIO, limit: int) -> None:
        self._stream, self._limit = stream, limit
        self.digest, self.size = sha256(), 0

    def read(self, size: int) -> bytes:
        part = self._stream.read(size)
        self.size += len(part)
        if self.size > self._limit:
            raise TooLarge(self._limit)
        self.digest.update(part)
        return part


class Pieces(io.RawIOBase):
    """Chunks as a raw stream."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._rest = chunks, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, target: memoryview) -> int:  # type: ignore[override]
        if not self._rest:
            self._rest = memoryview(next(self._chunks, b""))
        size = min(len(target), len(self._rest))
        target[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
