"""A mail server of one's own: it keeps what it is given, and refuses what it is told to refuse."""

from __future__ import annotations

import email
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message


class _Session(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as a client without extensions needs."""

    server: MailSink

    def handle(self) -> None:
        self._say("220 sink")
        while line := self.rfile.readline().decode().strip():
            command = line[:4].upper()
            if command == "QUIT":
                self._say("221 bye")
                return
            if command == "DATA":
                self._say("354 go on")
                self._keep()
            elif command == "RCPT" and self.server.refuse:
                self._say(self.server.refuse)
            else:
                self._say("250 ok")

    def _keep(self) -> None:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b"."))
        self.server.received.append(email.message_from_bytes(b"".join(lines)))
        self._say("250 kept")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class MailSink(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.received: list[Message] = []
        self.refuse = ""  # the answer to every recipient

    @property
    def port(self) -> int:
        return int(self.server_address[1])


@contextmanager
def mail_sink() -> Iterator[MailSink]:
    """The server, up while the block runs."""
    with MailSink() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
