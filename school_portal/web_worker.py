"""gunicorn's threaded worker, on which a slow visitor keeps nobody else waiting.

A request is given a thread when its head is there, and its body where that is small; until then it
costs a place in the poller. A thread that waits for the rest of a large body, or for somebody who
reads slowly, keeps to time limits; some threads never wait so, and answer all others. Why this is
ours: docs/adr/0005-web-worker.md.
"""

from __future__ import annotations

import errno
import re
import select
import socket
import time
from concurrent.futures import Future
from functools import partial
from selectors import EVENT_READ
from threading import BoundedSemaphore

from gunicorn import http
from gunicorn.workers.gthread import TConn, ThreadWorker

SMALL_BODY = 256 * 1024  # and its head: awaited without a thread
NEVER_WAITING = 2  # threads
LAST_WORDS_SECONDS = 2.0  # for what is still sent to us after our answer
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,15})[ \t]*\r", re.IGNORECASE)
_ASKS_FIRST = re.compile(rb"\r\nexpect:", re.IGNORECASE)
_HEAD_END = b"\r\n\r\n"


class Line(socket.socket):
    """A visitor's socket: whoever waits on it has a place to wait in, and not for ever."""

    places: BoundedSemaphore
    stall_seconds: float
    deadline = 0.0
    leaving = False  # answered for the last time

    def __init__(self, fileno: int) -> None:
        super().__init__(fileno=fileno)
        self.arrived = bytearray()
        self._whole: int | None = None  # the length of head and body together, once known

    def take_what_came(self) -> bytes:
        """Read what is there. Raises BlockingIOError."""
        return super().recv(SMALL_BODY, socket.MSG_DONTWAIT)

    def is_whole_with(self, data: bytes) -> bool:
        """Keep what came; whether a thread can take the request."""
        searched = max(0, len(self.arrived) - len(_HEAD_END) + 1)
        self.arrived += data
        if self._whole is None and (end := self.arrived.find(_HEAD_END, searched)) >= 0:
            self._whole = end + len(_HEAD_END)
            head = self.arrived[: self._whole]
            if not _ASKS_FIRST.search(head) and (length := _LENGTH.search(head)):
                self._whole += int(length[1])
        return len(self.arrived) >= min(self._whole or SMALL_BODY, SMALL_BODY)

    def hand_over(self) -> bytes:
        """What came, for whoever parses it; the next request begins anew."""
        came, self.arrived, self._whole = bytes(self.arrived), bytearray(), None
        return came

    def recv(self, size: int, flags: int = 0) -> bytes:
        """For a thread. Raises TimeoutError where the visitor is too slow."""
        while True:
            try:
                return super().recv(size, flags | socket.MSG_DONTWAIT)
            except BlockingIOError:
                self._wait(select.POLLIN)

    def sendall(self, data: bytes, flags: int = 0) -> None:  # type: ignore[override]
        """For a thread. Raises TimeoutError where the visitor is too slow."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self.send(rest, flags | socket.MSG_DONTWAIT) :]
            except BlockingIOError:
                self._wait(select.POLLOUT)

    def settimeout(self, value: float | None) -> None:
        """Not gunicorn's: each wait has our limits."""

    def _wait(self, event: int) -> None:
        seconds = min(self.stall_seconds, self.deadline - time.monotonic())
        if seconds > 0 and self.places.acquire(blocking=False):
            try:
                poll = select.poll()
                poll.register(self, event)
                if poll.poll(seconds * 1000):
                    return
            finally:
                self.places.release()
        raise TimeoutError(errno.ECONNRESET, "too slow")  # gunicorn: as a connection that broke


class PatientWorker(ThreadWorker):
    """See above; the seconds are a visitor's."""

    arrival_seconds = 30.0  # for a head and a small body
    stall_seconds = 20.0  # between two pieces of what a thread waits for
    request_seconds = 600.0  # for the rest of a large body, and the answer

    def init_process(self) -> None:
        self.cfg.set("sendfile", False)  # it would wait without our limits
        self.places = BoundedSemaphore(max(1, self.cfg.threads - NEVER_WAITING))
        super().init_process()

    def enqueue_req(self, conn: TConn) -> None:
        """A new connection waits for its request; one whose request is there gets a thread."""
        if conn.parser is not None:
            super().enqueue_req(conn)
            return
        conn.sock = Line(conn.sock.detach())
        conn.sock.places, conn.sock.stall_seconds = self.places, self.stall_seconds
        conn.parser, conn.initialized = http.get_parser(self.cfg, conn.sock, conn.client), True
        self._watch(conn, self.arrival_seconds)

    def on_client_socket_readable(self, conn: TConn, client: Line) -> None:
        """The next request of a connection that was kept begins."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._watch(conn, self.arrival_seconds)

    def on_pending_socket_readable(self, conn: TConn, client: Line) -> None:
        try:
            data = client.take_what_came()
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(conn)
        elif not client.leaving and client.is_whole_with(data):
            self.poller.unregister(client)
            self.pending_conns.remove(conn)
            conn.parser.unreader.unread(client.hand_over())
            super().enqueue_req(conn)

    def handle(self, conn: TConn) -> bool:
        conn.sock.deadline = time.monotonic() + self.request_seconds
        kept: bool = super().handle(conn)
        return kept

    def finish_request(self, conn: TConn, fs: Future[bool]) -> None:
        """Keep the connection, or take leave: gunicorn would do that in its only main thread."""
        if fs.exception() is not None or fs.result():
            super().finish_request(conn, fs)
            return
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self.nr_conns -= 1
            conn.close()
            return
        conn.sock.leaving = True
        self._watch(conn, LAST_WORDS_SECONDS)

    def murder_pending(self) -> None:
        """Let go whose time is over; when we stop, also who has not said anything yet."""
        now = time.monotonic()
        for conn in list(self.pending_conns):
            began = conn.sock.leaving or conn.sock.arrived
            if conn.timeout <= now or not (self.alive or began):
                self._drop(conn)

    def _watch(self, conn: TConn, seconds: float) -> None:
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + seconds
        self.pending_conns.append(conn)
        back = partial(self.on_pending_socket_readable, conn)
        self.poller.register(conn.sock, EVENT_READ, back)

    def _drop(self, conn: TConn) -> None:
        self.poller.unregister(conn.sock)
        self.pending_conns.remove(conn)
        self.nr_conns -= 1
        conn.close()
