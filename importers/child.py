"""The process that parses files: it may use so much memory and time, and no files at all."""

import contextlib
import resource
import struct
import sys
from collections.abc import Iterator

import msgspec

from importers.limits import Limits, Refused
from importers.wire import BROKEN, END, REFUSAL, VALUE, Task, frame

_LENGTH = struct.Struct(">I")


def main() -> None:
    """Reads the task and the file from standard input, writes frames to standard output."""
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    (length,) = _LENGTH.unpack(stdin.read(_LENGTH.size))
    task = msgspec.msgpack.decode(stdin.read(length), type=Task)
    _confine(task.limits)
    encode = msgspec.msgpack.encode
    # The parent has gone, or wants no more: nobody is left to tell.
    with contextlib.suppress(BrokenPipeError):
        for kind, value in _outcome(task, stdin.read()):
            stdout.write(frame(kind, encode(value)))
            stdout.flush()
        stdout.write(frame(END))
        stdout.flush()


def _outcome(task: Task, data: bytes) -> Iterator[tuple[bytes, object]]:
    try:
        for value in _perform(task, data):
            yield VALUE, value
    except Refused as refused:
        yield REFUSAL, refused.issue
    except MemoryError:
        yield REFUSAL, Refused.because("file.unsafe", "读取所需内存超过上限").issue
    except RecursionError:
        yield REFUSAL, Refused.because("file.unsafe", "嵌套过深").issue
    except (ImportError, OSError):
        raise  # ours, not the file's
    except Exception:
        sys.exit(BROKEN)


def _perform(task: Task, data: bytes) -> Iterator[object]:
    # Each task loads its own libraries only: a child starts for every file.
    if task.kind == "roster":
        from importers.roster import read_book  # noqa: PLC0415

        if task.context is None:
            raise ValueError(task.kind)
        return read_book(data, task.context, task.sheet, task.limits)
    if task.kind == "sheets":
        from importers.tables import read_tables  # noqa: PLC0415

        return read_tables(data, task.limits)
    if task.kind == "photograph":
        from importers.photographs import rewritten  # noqa: PLC0415

        return iter([rewritten(data, task.limits)])
    from importers.corrections import annotated  # noqa: PLC0415

    return iter([annotated(data, task.sheet, task.issues, task.limits)])


def _confine(limits: Limits) -> None:
    bounds = {
        resource.RLIMIT_AS: (limits.memory_bytes, limits.memory_bytes),
        # At the first it is told which limit it was; the second kills, as anybody may.
        resource.RLIMIT_CPU: (limits.cpu_seconds, limits.cpu_seconds + 5),
        resource.RLIMIT_FSIZE: (0, 0),
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_NOFILE: (64, 64),
    }
    for kind, bound in bounds.items():
        # macOS refuses some of them; the others hold, and so does the parent's patience.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, bound)


if __name__ == "__main__":
    main()
