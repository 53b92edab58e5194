"""OLE containers, as old workbooks and encrypted new ones are: what is in them, by olefile."""

import io
import struct

import olefile

from importers.limits import Refused

MAGIC = olefile.MAGIC
_DAMAGED = "复合文档结构不完整"
# Of a container that is written: version 4, whose sectors make a short table.
_SECTOR = 4096
_FREE, _END, _TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
_STREAM, _ROOT = 2, 5


class Compound:
    """Reads the directory when made; raises Refused (`file.unreadable`) for a damaged container."""

    def __init__(self, data: bytes) -> None:
        try:
            self._ole = olefile.OleFileIO(io.BytesIO(data))
            paths = self._ole.listdir(streams=True, storages=True)
        except (OSError, ValueError, LookupError, struct.error, RecursionError) as error:
            raise Refused.because("file.unreadable", _DAMAGED) from error
        # At any depth: what is embedded in a sheet counts.
        self.names = {part for path in paths for part in path}

    def stream(self, *names: str) -> bytes | None:
        """The first of these streams that stands at the top; raises Refused for a broken one."""
        found = next((name for name in names if self._ole.exists(name)), None)
        if found is None:
            return None
        try:
            return self._ole.openstream(found).read()
        except (OSError, ValueError, LookupError, struct.error) as error:
            raise Refused.because("file.unreadable", _DAMAGED) from error


def container_of(name: str, stream: bytes) -> bytes:
    """A container that holds this stream and nothing else."""
    size = max(len(stream), _SECTOR)
    sectors = -(-size // _SECTOR)
    per_table = _SECTOR // 4
    # The directory, the stream, and the table that lists them and itself.
    tables = -(-(1 + sectors) // (per_table - 1))
    chain = [_END, *range(2, sectors + 1), _END, *[_TABLE] * tables]
    chain += [_FREE] * (tables * per_table - len(chain))
    first_table = 1 + sectors
    listed = [*range(first_table, first_table + tables)]
    head = struct.pack(
        "<8s16x5H6xII I 4x I IIII",
        MAGIC,
        0x3E,
        4,
        0xFFFE,
        12,
        6,
        1,
        tables,
        0,
        _SECTOR,
        _END,
        0,
        _END,
        0,
    )
    head += struct.pack("<109I", *listed, *[_FREE] * (109 - tables))
    directory = _entry("Root Entry", _ROOT, 0, 0, child=1) + _entry(name, _STREAM, 1, size)
    return b"".join(
        (
            head.ljust(_SECTOR, b"\0"),
            directory.ljust(_SECTOR, b"\0"),
            stream.ljust(sectors * _SECTOR, b"\0"),
            struct.pack(f"<{len(chain)}I", *chain),
        )
    )


def _entry(name: str, kind: int, start: int, size: int, child: int = _FREE) -> bytes:
    raw = (name + "\0").encode("utf-16-le")
    return struct.pack("<64sHBBIII36xIQ", raw, len(raw), kind, 1, _FREE, _FREE, child, start, size)
