"""The home's own Valkey: started, shared, left behind, found again."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from redis import Redis

from school_portal.embedded_redis import LONGEST_PATH, EmbeddedRedis, is_up, socket_path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "home"
    made.mkdir()
    return made


def pid_of(server: EmbeddedRedis) -> int:
    with Redis.from_url(server.url) as connection:
        return int(connection.info("server")["process_id"])


def test_it_listens_on_a_private_socket_and_on_no_port(home: Path) -> None:
    server = EmbeddedRedis(home)
    server.start()
    try:
        with Redis.from_url(server.url) as connection:
            config = connection.config_get("port", "appendonly", "dir")
        assert (config["port"], config["appendonly"]) == ("0", "yes")
        assert Path(config["dir"]).is_relative_to(home)
        assert stat.S_IMODE(server.socket.stat().st_mode) == 0o600
    finally:
        server.stop()
    assert not server.is_up()


def test_what_it_holds_outlives_it(home: Path) -> None:
    server = EmbeddedRedis(home)
    for expected in (None, b"1"):
        server.start()
        with Redis.from_url(server.url) as connection:
            assert connection.get("kept") == expected
            connection.set("kept", "1")
        server.stop()


def test_the_last_of_its_users_stops_it(home: Path) -> None:
    first, second = EmbeddedRedis(home), EmbeddedRedis(home)
    first.start()
    pid = pid_of(first)
    second.start()
    assert pid_of(second) == pid
    first.stop()
    assert second.is_up()
    second.stop()
    assert not second.is_up()


def test_many_starts_at_once_start_one(home: Path) -> None:
    servers = [EmbeddedRedis(home) for _ in range(4)]
    with ThreadPoolExecutor(len(servers)) as threads:
        list(threads.map(EmbeddedRedis.start, servers))
    try:
        assert len({pid_of(server) for server in servers}) == 1
    finally:
        for server in servers:
            server.stop()
    assert not is_up(servers[0].url)


def test_one_that_was_killed_is_started_again(home: Path) -> None:
    server = EmbeddedRedis(home)
    server.start()
    os.kill(pid_of(server), signal.SIGKILL)
    server.start()
    assert server.is_up()
    server.stop()


def test_one_left_behind_by_a_killed_process_is_found_and_stopped(home: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path;"
        "from school_portal.embedded_redis import EmbeddedRedis;"
        "EmbeddedRedis(Path(sys.argv[1])).start(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(home)], check=False)
    assert killed.returncode == -signal.SIGKILL
    server = EmbeddedRedis(home)
    assert server.is_up()
    server.start()
    server.stop()
    assert not server.is_up()


def test_a_home_with_a_long_path_listens_in_a_private_folder(tmp_path: Path) -> None:
    home = tmp_path / ("long" * 30)
    home.mkdir()
    server = EmbeddedRedis(home)
    server.start()
    try:
        assert len(os.fsencode(server.socket)) <= LONGEST_PATH
        assert stat.S_IMODE(server.socket.parent.stat().st_mode) == 0o700
        assert socket_path(home) == server.socket
        assert server.is_up()
    finally:
        server.stop()
    server.socket.parent.chmod(0o755)  # whoever made it so may have put a server there
    assert socket_path(home).parent != server.socket.parent
