"""The database taken away from a running portal: nobody gets in, and who was in is thrown out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from flask import Flask
from sqlalchemy import event

from school_portal.extensions import db


@contextmanager
def away(app: Flask) -> Iterator[None]:
    """For as long as the block lasts."""
    with app.app_context():
        engine = db.engine
    with _shut(engine.url) if engine.dialect.name == "postgresql" else _moved(engine):
        yield


@contextmanager
def lost_after(app: Flask, statements: int) -> Iterator[None]:
    """In the block the connection breaks once so many statements were sent through it."""
    with app.app_context():
        engine = db.engine
    sent = 0

    def count(connection: sa.Connection, *_: object) -> None:
        nonlocal sent
        sent += 1
        if sent == statements:
            _break(connection)

    event.listen(engine, "after_cursor_execute", count)
    try:
        yield
    finally:
        event.remove(engine, "after_cursor_execute", count)
        engine.dispose()


def _break(connection: sa.Connection) -> None:
    driver = connection.connection.driver_connection
    assert driver is not None
    if connection.dialect.name == "sqlite":
        driver.set_progress_handler(lambda: 1, 1)  # whatever comes is interrupted
        return
    with _administering(connection.engine.url) as other:
        _end(other, sa.column("pid") == driver.info.backend_pid)


@contextmanager
def _administering(url: sa.URL) -> Iterator[sa.Connection]:
    engine = sa.create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def _end(other: sa.Connection, whose: sa.ColumnElement[bool]) -> None:
    """Returns once those processes are gone."""
    activity = sa.table("pg_stat_activity", sa.column("pid"), sa.column("datname"))
    ending = sa.select(sa.func.pg_terminate_backend(sa.column("pid"), 10_000))
    other.execute(ending.select_from(activity).where(whose))


@contextmanager
def _shut(url: sa.URL) -> Iterator[None]:
    with _administering(url) as other:
        other.execute(sa.text(f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS false"))
        _end(other, sa.column("datname") == url.database)
        try:
            yield
        finally:
            other.execute(sa.text(f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS true"))


@contextmanager
def _moved(engine: sa.Engine) -> Iterator[None]:
    """A folder stands where the file was."""
    file = Path(str(engine.url.database))
    engine.dispose()
    kept = file.rename(file.with_suffix(".kept"))
    file.mkdir()
    try:
        yield
    finally:
        file.rmdir()
        kept.rename(file)
