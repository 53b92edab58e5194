"""The database made ready: schema, reference data, keys; running it again changes nothing."""

from __future__ import annotations

from importlib.resources import files
from itertools import groupby

from flask_migrate import upgrade
from sqlalchemy.orm import Session

from school_portal.domain.projects import Project, read_catalogue
from school_portal.extensions import db
from school_portal.models import AuditHead, CatalogueOccupation, dialect
from school_portal.security import audit
from school_portal.security.cipher import KeyRing
from school_portal.security.vault import Vault

CATALOGUE = "occupations-2024-447.csv"


def initialise(ring: KeyRing) -> None:
    """Create or upgrade the database, load the catalogue, make the keys that are missing.

    Raises Unreadable where the index key was lost: a new one would find nobody.
    """
    upgrade()
    session: Session = db.session()
    _load_catalogue(session)
    if session.get(AuditHead, audit.HEAD_ID) is None:
        audit.start(session)
        # So that no chain is empty: one that is has been emptied.
        audit.record(session, "console", "portal.initialise", "portal")
        Vault.create(session, ring)
    Vault.open(session, ring)
    session.commit()


def _load_catalogue(session: Session) -> None:
    """The 48 lines of 沪人社职〔2024〕447号; one that is there stays."""
    text = files("school_portal").joinpath("data", CATALOGUE).read_text(encoding="utf-8")
    for base, projects in groupby(read_catalogue(text.splitlines()), key=_base):
        levels = " ".join(str(int(project.level)) for project in projects)
        code, name, direction = base
        dialect.ensure_row(
            session,
            CatalogueOccupation.__table__,
            {"code": code, "name": name, "direction": direction, "levels": levels},
        )


def _base(project: Project) -> tuple[str, str, str]:
    return project.code, project.occupation, project.direction
