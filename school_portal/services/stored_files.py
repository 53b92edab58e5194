"""Files in the storage that no row refers to: of what broke off before its commit."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.extensions import db
from school_portal.models import dialect
from school_portal.services.portal import Portal

KEPT_FOR = timedelta(days=1)  # far longer than any transaction lasts
COLUMN = "storage_key"  # a column of this name, in whatever table, refers to a file


def columns() -> list[sa.Column[str]]:
    """Every column that refers to files."""
    tables = db.metadata.sorted_tables
    return [column for table in tables for column in table.columns if column.name == COLUMN]


def known(session: Session) -> set[str]:
    """The names of all files that are in a row."""
    return set(session.scalars(sa.union_all(*(sa.select(column) for column in columns()))))


def sweep(session: Session, portal: Portal) -> int:
    """Remove files that are a day old and in no row; how many. The session has not begun.

    What another key ring sealed is somebody else's, and stays.
    """
    if session.in_transaction():
        raise RuntimeError("what it sees must be later than the list of files")
    portal.storage.drop_drafts(KEPT_FOR)
    old = portal.storage.names_older_than(KEPT_FOR)
    dialect.read_only(session)
    removed = 0
    for key in sorted({*old} - known(session)):
        with suppress(FileNotFoundError):  # another worker's sweep was first
            if portal.storage.key_id(key) in portal.ring.key_ids:
                portal.storage.delete(key)
                removed += 1
    return removed
