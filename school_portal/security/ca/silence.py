"""C libraries that tell what they refuse on standard error, which is the log's, are kept silent."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_lock = Lock()


class _Output:
    """The C library's own variable `stderr`, and a stream that leads nowhere.

    The descriptor stays as it is: Python and everybody else go on writing to it.
    """

    def __init__(self) -> None:
        library = ctypes.CDLL(None)
        library.fopen.restype = ctypes.c_void_p
        self.variable = ctypes.c_void_p.in_dll(library, "stderr")
        self.nowhere = library.fopen(os.devnull.encode(), b"w")


def _output() -> _Output | None:
    try:
        # Where it is not glibc's, the variable may be a constant.
        return _Output() if hasattr(ctypes.CDLL(None), "gnu_get_libc_version") else None
    except (OSError, ValueError):
        return None


_found = _output()


@contextmanager
def silence() -> Iterator[None]:
    """What C libraries print on standard error meanwhile goes nowhere, on glibc."""
    if _found is None or not _found.nowhere:
        yield
        return
    with _lock:
        kept = _found.variable.value
        _found.variable.value = _found.nowhere
        try:
            yield
        finally:
            _found.variable.value = kept
