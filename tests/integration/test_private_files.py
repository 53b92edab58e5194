"""What the portal keeps on the disk is its owner's alone, also what earlier versions left open."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from school_portal import config, logs
from school_portal.app import build
from school_portal.cli.failures import log_to_home
from school_portal.core import build_core
from school_portal.embedded_redis import EmbeddedRedis
from school_portal.extensions import db
from school_portal.services.setup import initialise


@pytest.fixture(autouse=True)
def _as_accounts_usually_are(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(logs, "configure", lambda stream: None)
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def open_to_others(folder: Path) -> Iterator[str]:
    """What somebody else can do something with who has got into the folder."""
    for path in folder.iterdir():
        if path.stat().st_mode & 0o077:
            yield path.name
            if path.is_dir():
                yield from open_to_others(path)


def test_a_new_home(home: Path) -> None:
    settings = config.read({"SCHOOL_PORTAL_HOME": str(home)})
    app = build(settings)
    log_to_home(settings)
    with app.app_context():
        initialise(app.extensions["portal"].ring)
        app.extensions["portal"].storage.probe()
        db.session.connection()
        assert (home / "portal.db-wal").exists()
        assert list(open_to_others(home)) == []
        db.session.remove()
        db.engine.dispose()
    assert home.stat().st_mode & 0o777 == 0o700
    assert (home / "portal.db").stat().st_mode & 0o777 == 0o600


def test_a_home_that_was_left_open(home: Path) -> None:
    settings = config.read({"SCHOOL_PORTAL_HOME": str(home)})
    (home / "files" / "ab").mkdir(parents=True)
    (home / "logs").mkdir()
    kept = sqlite3.connect(home / "portal.db")
    kept.execute("PRAGMA journal_mode=WAL")
    kept.execute("CREATE TABLE something (id INTEGER)")
    for path in home.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    assert {"portal.db", "portal.db-wal", "portal.db-shm", "ab", "encryption_keys"} <= {
        *open_to_others(home)
    }
    log_to_home(config.read({"SCHOOL_PORTAL_HOME": str(home)}))
    build_core(settings)
    kept.close()
    assert list(open_to_others(home)) == ["files"]  # in it are folders, and these are closed


def test_the_homes_own_redis(home: Path) -> None:
    server = EmbeddedRedis(home)
    server.start()
    try:
        with Redis.from_url(server.url) as connection:
            connection.set("something", "to keep")
        own = [path for path in (home / "redis").rglob("*") if path.name not in ("lock", "users")]
        assert any("appendonly" in path.name for path in own)
        assert all(path.stat().st_mode & 0o077 == 0 for path in own)
    finally:
        server.stop()
    (home / "redis").chmod(0o755)
    EmbeddedRedis(home)
    assert list(open_to_others(home)) == []
