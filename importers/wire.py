"""What parent and child send each other: frames of MessagePack, each with its length before it."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from importers.limits import Limits
from importers.lookups import Context
from school_portal.domain.violations import Issue

_LENGTH = struct.Struct(">cI")
# What a frame is: a value of the task's kind, a refusal, the end.
VALUE, REFUSAL, END = b"V", b"R", b"E"
# The status with which a child ends that what it read broke.
BROKEN = 70
_LONGEST_FRAME = 1 << 28


@dataclass(frozen=True, slots=True)
class Task:
    """What the child is to do with the file's bytes, which follow it."""

    kind: Literal["roster", "sheets", "annotate", "photograph"]
    limits: Limits
    context: Context | None = None
    sheet: str | None = None
    issues: tuple[Issue, ...] = ()


class Garbled(Exception):
    """What came from the child is no frame."""


def frame(kind: bytes, payload: bytes = b"") -> bytes:
    """The bytes of one frame."""
    return _LENGTH.pack(kind, len(payload)) + payload


def frames(pieces: Iterator[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """(kind, payload) of each whole frame; raises Garbled for what is none or is cut off."""
    buffer = bytearray()
    for piece in pieces:
        buffer += piece
        while len(buffer) >= _LENGTH.size:
            kind, length = _LENGTH.unpack_from(buffer)
            if kind not in (VALUE, REFUSAL, END) or length > _LONGEST_FRAME:
                raise Garbled(kind)
            end = _LENGTH.size + length
            if len(buffer) < end:
                break
            yield kind, bytes(buffer[_LENGTH.size : end])
            del buffer[:end]
    if buffer:
        raise Garbled(len(buffer))
