"""Files are parsed in a process of their own; whatever becomes of it, the caller gets an answer."""

import contextlib
import hashlib
import logging
import os
import selectors
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Timer
from typing import BinaryIO, TypeVar

import msgspec

from importers.limits import LIMITS, Limits, Refused
from importers.lookups import Context
from importers.roster import Chunk, FileFacts
from importers.tables import SheetPart
from importers.wire import BROKEN, END, REFUSAL, Garbled, Task, frames
from school_portal.domain.violations import Issue

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

_ROOT = str(Path(__file__).resolve().parent.parent)
# Isolated: neither the caller's environment nor its directory says what the child imports.
_BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from importers.child import main; main()"
_COMMAND = (sys.executable, "-I", "-X", "utf8", "-c", _BOOT, _ROOT)
# By these ends a process that went beyond its limits: a failed allocation aborts.
_LIMIT_SIGNALS = frozenset({signal.SIGABRT, signal.SIGXCPU, signal.SIGXFSZ})
# By these the reading library, over what the file holds.
_CRASH_SIGNALS = frozenset({signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE})
_PIECE = 1 << 16
LAST_SECONDS = 0.5  # for a child to end by itself


class ReaderLost(OSError):
    """The reading process did not end by itself, or never began: no fault of the file's.

    Somebody killed it (an operator, a machine short of memory), or it had no processor to run on.
    Another attempt may well pass; the text is Chinese, for the person who waits.
    """

    def __init__(self) -> None:
        super().__init__("读取文件的程序被系统中断，不是文件的问题，没有写入任何数据，请稍后重试。")


def read_roster(
    source: BinaryIO,
    name: str,
    context: Context,
    *,
    sheet: str | None = None,
    limits: Limits = LIMITS,
) -> Iterator[Chunk]:
    """Reads a roster in chunks of about 2,000 rows; the last one carries the facts.

    The first is empty and comes at once, before anything is read, for whoever shows progress.

    Never raises for what the file holds: a refused file is one last chunk with a `file.*` error,
    which voids the rows before it. `sheet` names the sheet where several look like a roster.
    Raises what `source.read` raises, and ReaderLost, as all functions here do.
    """
    data = source.read(limits.file_bytes + 1)
    facts = FileFacts(name=name, sha256=hashlib.sha256(data).hexdigest())
    done = 0
    yield Chunk([], [], [], done, None)
    try:
        for chunk in _run(Task("roster", limits, context, sheet), data, Chunk):
            done = chunk.done
            found = chunk.facts
            if found:
                found = replace(found, name=facts.name, sha256=facts.sha256)
            yield replace(chunk, facts=found)
    except Refused as refused:
        yield Chunk([], [refused.issue], [], done, None, replace(facts, sheet=sheet))


def read_sheets(
    source: BinaryIO, *, limits: Limits = LIMITS
) -> dict[str, list[tuple[int, tuple[str, ...]]]] | Issue:
    """All visible sheets as rows of text, blank rows left out; or why the file is refused.

    Each row is (its number in the spreadsheet program, its cells from column A on).
    """
    sheets: dict[str, list[tuple[int, tuple[str, ...]]]] = {}
    data = source.read(limits.file_bytes + 1)
    try:
        for part in _run(Task("sheets", limits), data, SheetPart):
            sheets.setdefault(part.sheet, []).extend(part.rows)
    except Refused as refused:
        return refused.issue
    return sheets


def annotate(
    source: BinaryIO,
    issues: tuple[Issue, ...],
    *,
    sheet: str | None = None,
    limits: Limits = LIMITS,
) -> bytes:
    """The workbook back as xlsx, wrong cells red and commented; raises Refused when unreadable.

    `sheet` is the one that was read (`FileFacts.sheet`); the issues are those of `read_roster`.
    """
    data = source.read(limits.file_bytes + 1)
    return b"".join(_run(Task("annotate", limits, sheet=sheet, issues=issues), data, bytes))


def rewrite_photograph(content: bytes, *, limits: Limits = LIMITS) -> bytes:
    """A JPEG or PNG decoded and written anew; raises Refused (see importers.photographs)."""
    return b"".join(_run(Task("photograph", limits), content, bytes))


def _run(task: Task, data: bytes, kind: type[_T]) -> Iterator[_T]:
    """The child's values as they come; raises Refused, or ReaderLost where it is not the file."""
    decoder = msgspec.msgpack.Decoder(kind)
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={}
    )
    try:
        for tag, payload in frames(_exchange(process, task, data)):
            if tag == REFUSAL:
                raise Refused(msgspec.msgpack.decode(payload, type=Issue))
            if tag == END:
                return
            yield decoder.decode(payload)
    except (Garbled, msgspec.DecodeError):
        _log.warning("the file reader sent what is no answer")
    finally:
        _stop(process)
    raise _crashed(process.returncode)


def _exchange(process: "subprocess.Popen[bytes]", task: Task, data: bytes) -> Iterator[bytes]:
    """Feeds the child and yields what it writes; raises ReaderLost when it is silent too long.

    A file that takes long is ended by its limit of processor time before that.
    """
    head = msgspec.msgpack.encode(task)
    pending = [memoryview(part) for part in (struct.pack(">I", len(head)) + head, data) if part]
    stdin, stdout = process.stdin, process.stdout
    if stdin is None or stdout is None:
        raise ValueError("the child has no pipes")
    os.set_blocking(stdin.fileno(), False)
    with selectors.DefaultSelector() as selector:
        selector.register(stdin, selectors.EVENT_WRITE)
        selector.register(stdout, selectors.EVENT_READ)
        while True:
            ready = selector.select(task.limits.silence_seconds)
            if not ready:
                _log.warning("the file reader was silent too long")
                raise ReaderLost
            for key, _ in ready:
                if key.fileobj is stdout:
                    piece = os.read(stdout.fileno(), _PIECE)
                    if not piece:
                        return
                    yield piece
                elif _feed(stdin.fileno(), pending):
                    selector.unregister(stdin)
                    stdin.close()


def _feed(fd: int, pending: list[memoryview]) -> bool:
    """Writes what the pipe takes; True when all is written or nobody reads any more."""
    try:
        written = os.write(fd, pending[0][:_PIECE])
    except BlockingIOError:
        return False
    except BrokenPipeError:
        return True
    pending[0] = pending[0][written:]
    if not pending[0]:
        del pending[0]
    return not pending


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Ends the child if it still runs, and takes its status."""
    for pipe in (process.stdin, process.stdout):
        if pipe:
            with contextlib.suppress(OSError):
                pipe.close()
    # After its last frame it has nothing left to do. A timer, for a wait with a bound would sleep.
    killer = Timer(LAST_SECONDS, process.kill)
    killer.start()
    process.wait()
    killer.cancel()


def _crashed(status: int) -> Exception:
    """Why the child ended without its last frame."""
    _log.warning("the file reader ended with status %s", status)
    if -status in _LIMIT_SIGNALS:
        return Refused.because("file.unsafe", "读取所需资源超过上限")
    if status == BROKEN or -status in _CRASH_SIGNALS:
        return Refused.because("file.unreadable", "内容已损坏，读取中断")
    return ReaderLost()
