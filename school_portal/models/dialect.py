"""What differs between SQLite and PostgreSQL, and nothing else."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import InstrumentedAttribute, Session

from school_portal import private
from school_portal.models.types import UtcDateTime

Value = str | int | bool | bytes | None

READ_ONLY = "portal_read_only"
ALONE = "portal_alone"
_LOCK = int.from_bytes(b"portal")  # of PostgreSQL's advisory locks
BUSY_SECONDS = 30
# Of pages, each connection: the indexes that a merge writes to stay in memory.
CACHE_KIB = 16 * 1024


def prepare(engine: sa.Engine) -> None:
    """Settings of each connection, as the database needs them."""
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    else:
        _prepare_postgresql(engine)


def _prepare_postgresql(engine: sa.Engine) -> None:
    """Plan each query for its values: a plan kept since a table was empty scans it for ever.

    Who may write shares a lock until its end with all others, and waits for one that is ALONE.
    """

    @event.listens_for(engine, "connect")
    def connected(connection: psycopg.Connection[Any], record: object) -> None:
        connection.prepare_threshold = None

    @event.listens_for(engine, "begin")
    def began(connection: sa.Connection) -> None:
        options = connection.get_execution_options()
        if options.get(ALONE):
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{BUSY_SECONDS}s'")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        elif not options.get(READ_ONLY):
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock_shared({_LOCK})")


def _prepare_sqlite(engine: sa.Engine) -> None:
    """Make SQLite keep what it confirmed (WAL, FULL) and take the write lock at the start.

    A transaction marked READ_ONLY begins deferred: it reads beside a writer instead of waiting.
    """
    _close_to_others(engine.url.database)

    @event.listens_for(engine, "connect")
    def connected(connection: sqlite3.Connection, record: object) -> None:
        connection.isolation_level = None  # the transaction begins where we say so
        for pragma in (
            f"busy_timeout={BUSY_SECONDS * 1000}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"cache_size=-{CACHE_KIB}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def began(connection: sa.Connection) -> None:
        read_only = connection.get_execution_options().get(READ_ONLY)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def _close_to_others(database: str | None) -> None:
    """The database's files, and those that SQLite puts beside them, are their owner's alone.

    A new one is made empty, for SQLite gives the others its mode; one that is there is not opened
    here: closing it would take SQLite's locks from this process.
    """
    if not database or database == ":memory:":
        return
    path = Path(database)
    with suppress(OSError):  # what is wrong with the place, SQLite tells
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    for suffix in ("", "-wal", "-shm", "-journal"):
        private.close(path.with_name(path.name + suffix))


def is_away(error: object) -> bool:
    """Whether the database, and no statement of ours, is why it failed; later it may be back."""
    if isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated:
        return True
    return isinstance(
        error, sa.exc.OperationalError | sa.exc.InterfaceError | sa.exc.TimeoutError
    ) or isinstance(getattr(error, "orig", None), psycopg.errors.ReadOnlySqlTransaction)


def takes_writes(session: Session) -> bool:
    """Whether the database says so: a copy of PostgreSQL's that may only be read does not."""
    if session.get_bind().dialect.name != "postgresql":
        return True
    only_read = sa.text(
        "SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean"
    )
    return not session.scalar(only_read)


def read_only(session: Session) -> None:
    """Begin a transaction that only reads, and sees one state throughout."""
    postgresql = session.get_bind().dialect.name == "postgresql"
    options: dict[str, Any] = {"isolation_level": "REPEATABLE READ"} if postgresql else {}
    session.connection(execution_options={READ_ONLY: True, **options})


def alone(session: Session) -> None:
    """Begin a transaction beside which nobody writes, once those that do have ended.

    Raises OperationalError where they take longer than BUSY_SECONDS. Each other transaction sees
    the state before it or the one after it, from its beginning to its end.
    """
    if session.in_transaction():
        raise RuntimeError("others may have written since this transaction began")
    session.connection(execution_options={ALONE: True})


def ensure_row(session: Session, table: sa.Table, values: dict[str, Any]) -> None:
    """Insert the row unless its key is there already, whoever else inserts it now."""
    postgresql = session.get_bind().dialect.name == "postgresql"
    insert = postgresql_insert if postgresql else sqlite_insert
    session.execute(insert(table).values(values).on_conflict_do_nothing())


def among(
    session: Session, column: InstrumentedAttribute[Any], values: Iterable[Any]
) -> sa.ColumnElement[bool]:
    """Whether the column is one of many values: one array where the database has arrays."""
    if session.get_bind().dialect.name == "postgresql":
        array = sa.bindparam(None, list(values), ARRAY(column.type))
        return column == sa.any_(array)
    return column.in_(values)


def bulk_insert(
    session: Session, table: sa.Table, columns: Sequence[str], rows: Iterable[Sequence[Value]]
) -> None:
    """Insert many rows of plain values in the session's transaction: COPY or executemany.

    Dates come as ISO text, enumerations as their value.
    """
    connection = session.connection().connection.driver_connection
    names = ", ".join(f'"{column}"' for column in columns)
    if session.get_bind().dialect.name == "postgresql":
        with (
            connection.cursor() as cursor,  # type: ignore[union-attr]
            cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy,
        ):
            for row in rows:
                copy.write_row(row)
        return
    marks = ", ".join("?" * len(columns))
    connection.executemany(  # type: ignore[union-attr]
        f"INSERT INTO {table.name} ({names}) VALUES ({marks})",  # noqa: S608  names are ours
        rows,
    )


def stored(session: Session, column: InstrumentedAttribute[Any]) -> sa.ColumnElement[Any]:
    """The column as it is kept, read as nothing yet: instants, JSON and text as text.

    From SQLite, which keeps anything anywhere, in bytes; NULL where it is of another kind.
    """
    if session.get_bind().dialect.name == "postgresql":
        if isinstance(column.type, sa.LargeBinary):
            return column.expression
        if isinstance(column.type, UtcDateTime):
            in_utc = sa.func.timezone("UTC", column)
            return sa.func.to_char(in_utc, "YYYY-MM-DD HH24:MI:SS.US").label(column.key)
        return sa.cast(column, sa.Text).label(column.key)
    kind = "blob" if isinstance(column.type, sa.LargeBinary) else "text"
    in_bytes = sa.cast(column, sa.LargeBinary)
    return sa.case((sa.func.typeof(column) == kind, in_bytes)).label(column.key)


def take_statistics(session: Session, *tables: sa.Table) -> None:
    """Let PostgreSQL's planner know what has just been written to the tables.

    Without that a join of two large, fresh tables may compare each row with each.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text(f"ANALYZE {', '.join(table.name for table in tables)}"))


def clock(session: Session, ahead: timedelta = timedelta()) -> sa.ColumnElement[datetime]:
    """That far from now, by the one clock that all who work on this database share.

    PostgreSQL's own. SQLite asks the process that uses it; those that share its file share a
    machine, and its count of seconds since it was started, which nobody sets. So there these are
    instants of 1970: good for being compared with one another, and nothing else.
    """
    if session.connection().dialect.name == "postgresql":  # begun: it may have waited for a lock
        return sa.func.clock_timestamp(type_=sa.DateTime(timezone=True)) + ahead
    since_start = datetime.fromtimestamp(time.monotonic(), UTC)
    return sa.literal(since_start + ahead, UtcDateTime())


def copy(session: Session, path: Path) -> bool:
    """The whole database as of one moment, beside whoever writes, in a new file of ours alone.

    False, and no file, where the server has a tool of its own for that.
    """
    if session.get_bind().dialect.name == "postgresql":
        return False
    read_only(session)
    path.touch(mode=0o600, exist_ok=False)
    with closing(sqlite3.connect(path)) as target:
        session.connection().connection.driver_connection.backup(target)  # type: ignore[union-attr]
    return True


def now(session: Session) -> datetime:
    """The time of day by the database's own clock."""
    if session.get_bind().dialect.name == "postgresql":
        return session.scalars(sa.select(sa.func.clock_timestamp())).one()
    text = session.scalars(sa.text("SELECT strftime('%Y-%m-%dT%H:%M:%f+00:00')")).one()
    return datetime.fromisoformat(text)
