"""OLE containers: the names in them, and one stream's bytes. Only what old workbooks need."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from importers.limits import Refused

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HEADER = 512
_ENTRY = 128
_LAST_SECTOR = 0xFFFFFFFA
_SHORT_STREAM = 4096
_STREAM, _ROOT = 2, 5
_DAMAGED = "复合文档结构不完整"


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    kind: int
    start: int
    size: int


class Compound:
    """Reads the directory when made; raises Refused (`file.unreadable`) for a damaged container."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        try:
            self._read_tables()
        except (struct.error, IndexError, ValueError) as error:
            raise Refused.because("file.unreadable", _DAMAGED) from error

    def _read_tables(self) -> None:
        shift, short_shift = struct.unpack_from("<HH", self._data, 30)
        if shift not in (9, 12) or short_shift != 6:
            raise ValueError(shift)
        self._size, self._short_size = 1 << shift, 1 << short_shift
        directory, short_table, more, count = (
            struct.unpack_from("<I", self._data, at)[0] for at in (48, 60, 68, 72)
        )
        sectors = list(struct.unpack_from("<109I", self._data, 76))
        per_sector = self._size // 4 - 1
        for _ in range(min(count, len(self._data) // self._size)):
            if more >= _LAST_SECTOR:
                break
            *found, more = struct.unpack(f"<{per_sector + 1}I", self._sector(more))
            sectors += found
        raw = b"".join(self._sector(number) for number in sectors if number < _LAST_SECTOR)
        self._next = memoryview(raw).cast("I")
        self._entries = list(self._directory(self._chain(directory)))
        root = next((entry for entry in self._entries if entry.kind == _ROOT), None)
        self._short = self._chain(root.start) if root else b""
        short_raw = self._chain(short_table)
        self._short_next = memoryview(short_raw[: len(short_raw) // 4 * 4]).cast("I")

    def _sector(self, number: int) -> bytes:
        at = (number + 1) * self._size
        sector = self._data[at : at + self._size]
        if not sector:
            raise ValueError(number)
        # The last sector of a file is sometimes written short.
        return sector.ljust(self._size, b"\0")

    def _chain(self, number: int) -> bytes:
        parts = []
        while number < _LAST_SECTOR:
            parts.append(self._sector(number))
            number = self._next[number]
            if len(parts) > len(self._next):
                raise ValueError(number)
        return b"".join(parts)

    def _short_chain(self, number: int) -> bytes:
        parts = []
        while number < _LAST_SECTOR:
            at = number * self._short_size
            parts.append(self._short[at : at + self._short_size])
            number = self._short_next[number]
            if len(parts) > len(self._short_next):
                raise ValueError(number)
        return b"".join(parts)

    @staticmethod
    def _directory(raw: bytes) -> Iterator[_Entry]:
        for at in range(0, len(raw), _ENTRY):
            length, kind = struct.unpack_from("<HB", raw, at + 64)
            if kind and 2 <= length <= 64:
                start, size = struct.unpack_from("<II", raw, at + 116)
                name = raw[at : at + length - 2].decode("utf-16-le", "replace")
                yield _Entry(name, kind, start, size)

    @property
    def names(self) -> set[str]:
        """Names of all storages and streams."""
        return {entry.name for entry in self._entries}

    def stream(self, *names: str) -> bytes | None:
        """The first stream that bears one of the names; None where there is none.

        Raises Refused for a stream whose chain is broken.
        """
        wanted = {name.lower() for name in names}
        for entry in self._entries:
            if entry.kind == _STREAM and entry.name.lower() in wanted:
                return self._stream(entry)
        return None

    def _stream(self, entry: _Entry) -> bytes:
        try:
            is_short = entry.size < _SHORT_STREAM
            raw = self._short_chain(entry.start) if is_short else self._chain(entry.start)
        except (IndexError, ValueError) as error:
            raise Refused.because("file.unreadable", _DAMAGED) from error
        if len(raw) < entry.size:
            raise Refused.because("file.unreadable", _DAMAGED)
        return raw[: entry.size]
