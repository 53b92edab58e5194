"""The processes that a command starts, and none of which outlives it."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

import psutil

from school_portal.cli.failures import Failed

if TYPE_CHECKING:
    from school_portal.config import Settings

STOP_SECONDS = 30.0  # for a worker to hand its job back, a page to be answered
ORPHANS_SECONDS = 5.0  # for a work-horse to notice that its worker is dead
SHORT_LIFE = 5.0  # seconds; who lives no longer did not come up
SHORT_LIVES = 3  # in a row, before we give up
_SET_PDEATHSIG = 1
_SET_CHILD_SUBREAPER = 36

_prctl: Callable[..., int] | None = (
    ctypes.CDLL(None).prctl if sys.platform.startswith("linux") else None
)


class KeepsEnding(Failed):
    """A program ends as soon as it is started; the text is Chinese."""


@dataclass(slots=True)
class _Program:
    label: str
    command: Sequence[str]
    process: subprocess.Popen[bytes]
    started: float
    short_lives: int = 0


@dataclass(slots=True)
class Supervisor:
    """Starts programs, restarts what died, stops all in the reverse order.

    `log` takes what the programs write; where there is none it goes to standard error.
    """

    log: Path | None = None
    _programs: list[_Program] = field(default_factory=list)
    _before: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        if _prctl:  # a dead worker's work-horse becomes our child, not nobody's
            _prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self._before = _children()

    def start(self, label: str, command: Sequence[str]) -> None:
        """Start a program and keep it running."""
        process = self._spawn(command)
        self._programs.append(_Program(label, command, process, time.monotonic()))

    def tend(self) -> None:
        """Start again what died. Raises KeepsEnding where that helps nothing."""
        for program in self._programs:
            if program.process.poll() is None:
                continue
            lived = time.monotonic() - program.started
            program.short_lives = program.short_lives + 1 if lived < SHORT_LIFE else 0
            if program.short_lives == SHORT_LIVES:
                raise KeepsEnding(f"{program.label}启动后随即退出，请查看日志{self._where}。")
            program.process = self._spawn(program.command)
            program.started = time.monotonic()

    def tend_forever(self, seconds: float) -> None:
        """Look after all, every so many seconds, until a signal or KeepsEnding ends it."""
        while True:
            time.sleep(seconds)
            self.tend()

    def stop(self) -> None:
        """Ask each to end, the last started first; whoever does not listen is killed."""
        for program in reversed(self._programs):
            program.process.terminate()
            try:
                program.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                program.process.kill()
                program.process.wait()
        self._programs.clear()
        self._await_orphans()
        if _prctl:
            _prctl(_SET_CHILD_SUBREAPER, 0, 0, 0, 0)

    @property
    def _where(self) -> str:
        return f" {self.log}" if self.log else ""

    def _spawn(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        output: IO[bytes] | None = self.log.open("ab") if self.log else None
        try:
            return subprocess.Popen(  # noqa: S603  our own interpreter and modules
                command,
                stdin=subprocess.DEVNULL,
                stdout=output or sys.stderr.fileno(),
                stderr=output or sys.stderr.fileno(),
                start_new_session=True,  # Ctrl-C is for us: we end them in order
                preexec_fn=_end_with_parent,  # noqa: PLW1509  nothing but a system call
            )
        finally:
            if output:
                output.close()

    def _await_orphans(self) -> None:
        deadline = time.monotonic() + ORPHANS_SECONDS
        while orphans := _children() - self._before:
            for pid in orphans:
                with suppress(ChildProcessError, ProcessLookupError):
                    if time.monotonic() > deadline:
                        os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, os.WNOHANG)
            time.sleep(0.05)


def _end_with_parent() -> None:
    """In the child: ask the kernel for a SIGTERM when we are killed and cannot send one."""
    if _prctl:
        _prctl(_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def _children() -> frozenset[int]:
    """Our children, those that ended among them."""
    return frozenset(child.pid for child in psutil.Process().children())


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs a module on our interpreter."""
    # -P: a file in the folder where the command is run must not stand in for a module.
    return [sys.executable, "-P", "-m", module, *arguments]


class Interrupted(KeyboardInterrupt):
    """The command was told to end."""


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """SIGTERM and a closed terminal end the block as Ctrl-C does: by unwinding it, once."""
    numbers = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
    ending = False

    def interrupt(number: int, frame: object) -> None:
        nonlocal ending
        ending = True
        for one in numbers:  # we are ending; nothing may break that off
            signal.signal(one, signal.SIG_IGN)
        raise Interrupted

    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    except Exception as error:
        if ending:  # what the signal broke off ended with an error of its own
            raise Interrupted from error
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def supervised(settings: Settings, log: Path | None = None) -> Iterator[Supervisor]:
    """A supervisor, and Redis for what it starts: the one given, or the home's own.

    Raises Failed where the one given is of no use, NotStarted where ours does not come up.
    """
    from school_portal.embedded_redis import EmbeddedRedis  # noqa: PLC0415

    if settings.redis_url:
        _require_usable(settings.redis_url)
    with ended_by_signals(), ExitStack() as stack:
        if not settings.redis_url:
            embedded = EmbeddedRedis(settings.home)
            stack.callback(embedded.stop)
            embedded.start()
        supervisor = Supervisor(log)
        stack.callback(supervisor.stop)
        yield supervisor


def _require_usable(url: str) -> None:
    """Raises Failed where Redis does not answer, or takes no writes."""
    from redis.exceptions import RedisError, ResponseError  # noqa: PLC0415

    from school_portal import bell  # noqa: PLC0415

    try:
        with bell.connect(url) as connection:
            bell.probe(connection)
    except ResponseError as error:
        raise Failed(
            "Redis 有应答但不接受写入，任务无法进行，请检查它的内存上限、磁盘，以及是否为只读副本。"
        ) from error
    except (RedisError, OSError) as error:
        raise Failed(
            "Redis 没有应答，请检查设置 SCHOOL_PORTAL_REDIS_URL 与 Redis 服务。"
        ) from error
