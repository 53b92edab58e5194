"""A site of its own under the portal's web worker, and visitors who take their time."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from school_portal.web_worker import PatientWorker

ROOT = Path(__file__).parents[2]
THREADS = 8
LARGE = 64 * 1024 * 1024  # more than a socket holds
SECONDS = 60  # beyond it a test fails


class EndlessWorker(PatientWorker):
    """Its limits never run out within a test: what it answers, it answers beside all that wait."""

    arrival_seconds = stall_seconds = request_seconds = 3600.0


class HastyWorker(PatientWorker):
    """Whoever stops is soon given up."""

    arrival_seconds = stall_seconds = 0.5


class HurriedWorker(PatientWorker):
    """Whoever goes on without coming to an end is given up in time."""

    arrival_seconds = request_seconds = 1.0


def site(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """`/large`, `/file` answer much, `/unread` does not look at its body, all else sums it up."""
    body = environ["wsgi.input"]
    if environ["PATH_INFO"] == "/file":
        file = TemporaryFile()  # noqa: SIM115  gunicorn closes it
        file.truncate(LARGE)
        start_response("200 OK", [("Content-Length", str(LARGE))])
        answered: Iterable[bytes] = environ["wsgi.file_wrapper"](file)
        return answered
    sent = b"" if environ["PATH_INFO"] == "/unread" else hashed(iter(lambda: body.read(65536), b""))
    answer = [b"0" * LARGE] if environ["PATH_INFO"] == "/large" else [sent]
    start_response("200 OK", [("Content-Length", str(len(answer[0])))])
    return answer


def hashed(pieces: Iterable[bytes]) -> bytes:
    made = hashlib.sha256()
    for piece in pieces:
        made.update(piece)
    return made.hexdigest().encode()


@contextmanager
def running_site(worker: type[PatientWorker], folder: Path) -> Iterator[tuple[str, int]]:
    """Its address; ended with a wait that shows whether it ends at all."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.set_inheritable(True)
    command = [
        *(sys.executable, "-m", "gunicorn", "tests.factories.slow_visitors:site"),
        *("--worker-class", f"{worker.__module__}.{worker.__name__}", "--threads", str(THREADS)),
        *("--bind", f"fd://{listener.fileno()}", "--graceful-timeout", "3600"),
        *("--no-control-socket", "--log-level", "warning", "--worker-tmp-dir", str(folder)),
    ]
    process = subprocess.Popen(
        command, cwd=ROOT, env=dict(os.environ), pass_fds=[listener.fileno()]
    )
    try:
        yield listener.getsockname()
    finally:
        listener.close()
        process.terminate()
        try:
            process.wait(SECONDS)
        finally:
            process.kill()


class Caller:
    """One connection, spoken to piece by piece."""

    def __init__(self, address: tuple[str, int], *, keeps: int | None = None) -> None:
        self.socket = socket.socket()
        if keeps:  # as little as the system allows
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, keeps)
        self.socket.settimeout(SECONDS)
        self.socket.connect(address)

    def say(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.socket.sendall(piece)

    def hear(self) -> tuple[str, bytes]:
        """The status line and the body; both empty where the other side has gone."""
        heard = b""
        while b"\r\n\r\n" not in heard:
            if not (piece := self._more()):
                return "", b""
            heard += piece
        head, _, begun = heard.partition(b"\r\n\r\n")
        body = bytearray(begun)
        (length,) = (
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        )
        while len(body) < length and (piece := self._more()):
            body += piece
        return head.split(b"\r\n")[0].decode(), bytes(body)

    def _more(self) -> bytes:
        try:
            return self.socket.recv(65536)
        except ConnectionResetError:
            return b""

    def is_let_go(self) -> bool:
        """Wait for the other side's end."""
        while self._more():
            pass
        return True

    def is_held(self) -> bool:
        """Whether the other side still listens, and has not said anything."""
        self.socket.setblocking(False)
        try:
            return bool(self.socket.recv(1, socket.MSG_PEEK)) and False
        except BlockingIOError:
            return True
        except ConnectionResetError:
            return False
        finally:
            self.socket.settimeout(SECONDS)


@contextmanager
def callers(number: int, address: tuple[str, int], **how: int) -> Iterator[list[Caller]]:
    with ExitStack() as stack:
        made = [Caller(address, **how) for _ in range(number)]
        for one in made:
            stack.callback(one.socket.close)
        yield made


def ask(address: tuple[str, int], body: bytes = b"") -> tuple[str, bytes]:
    """Another visitor, who is quick."""
    with callers(1, address) as (one,):
        one.say(head("/healthz", len(body)) + body)
        return one.hear()


def head(path: str, length: int = 0, *more: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: here", f"Content-Length: {length}", *more]
    return "\r\n".join([*lines, "", ""]).encode()


def drip(caller: Caller, piece: bytes) -> None:
    """Say a little again and again, until the other side has gone."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            caller.say(piece)
        except OSError:
            return
        time.sleep(0.05)  # it is what makes this visitor slow
    raise AssertionError("still listened to")
