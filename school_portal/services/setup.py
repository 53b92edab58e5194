"""From nothing to a database that can be worked with; running it again changes nothing."""

from __future__ import annotations

import csv
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from importlib.resources import files
from pathlib import Path

import flask_migrate
import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from sqlalchemy.orm import Session

from school_portal.extensions import db
from school_portal.models import CatalogueOccupation, dialect
from school_portal.security import audit
from school_portal.security.vault import Vault
from school_portal.services.portal import Portal

CATALOGUE = "occupations-2024-447.csv"


class Schema(Enum):
    """How the database's tables stand to this version of the portal."""

    MISSING = "missing"
    OLDER = "older"
    CURRENT = "current"


def schema(session: Session) -> Schema:
    """What `initialise` would still have to do to the tables."""
    current = MigrationContext.configure(session.connection()).get_current_heads()
    if not current:
        return Schema.MISSING
    known = ScriptDirectory(current_app.extensions["migrate"].directory).get_heads()
    return Schema.CURRENT if set(current) == set(known) else Schema.OLDER


def initialise(portal: Portal) -> None:
    """Create or upgrade the tables, load the reference data, make the missing keys.

    Commits: migrations keep transactions of their own.
    """
    with _alone(portal.settings.home):
        flask_migrate.upgrade()
        session = db.session
        session.rollback()
        audit.start(session)
        Vault.create(session, portal.ring)
        _load_catalogue(session)
        session.commit()


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """One initialisation of a home at a time."""
    with (home / "init.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _load_catalogue(session: Session) -> None:
    """The occupations of 沪人社职〔2024〕447号; a line that is there already stays as it is."""
    text = files("school_portal").joinpath("data", CATALOGUE).read_text(encoding="utf-8")
    for line in csv.DictReader(text.splitlines()):
        dialect.ensure_row(
            session,
            CatalogueOccupation.__table__,
            {
                "code": line["occupation_code"],
                "name": line["occupation"],
                "direction": line["direction"],
                "levels": line["levels"],
            },
        )


def catalogue_size(session: Session) -> int:
    """How many lines of the catalogue are loaded."""
    return session.scalar(sa.select(sa.func.count()).select_from(CatalogueOccupation)) or 0
