"""The application without its pages: settings, database, storage and keys, for commands too."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from school_portal import config
from school_portal.extensions import db
from school_portal.models import dialect
from school_portal.security.cipher import KeyRing
from school_portal.security.vault import Vault, wrapped
from school_portal.services.portal import Clock, Portal, utc_now
from school_portal.storage import Storage

if TYPE_CHECKING:
    from school_portal.security.ca.trust import TrustFiles

log = structlog.get_logger()
CONNECT_SECONDS = 10  # to wait for a PostgreSQL whose machine is gone


def build_core(settings: config.Settings, clock: Clock = utc_now) -> Flask:
    """What every use case runs in. Raises SettingsError where a setting is not fit."""
    app = Flask("school_portal")
    app.config.update(
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(settings),
    )
    db.init_app(app)
    app.teardown_appcontext(_end_session)
    with app.app_context():
        dialect.prepare(db.engine)
        app.extensions["portal"] = _portal(settings, clock)
    return app


def _end_session(_: BaseException | None) -> None:
    """Before Flask-SQLAlchemy does, and whatever becomes of the database meanwhile.

    What was not committed is lost with the connection: the answer that was made stays true.
    """
    try:
        db.session.remove()
    except SQLAlchemyError as error:
        db.session.registry.clear()
        log.warning("session.lost", error=type(error).__name__)


def _engine_options(settings: config.Settings) -> dict[str, Any]:
    if settings.is_sqlite:
        return {"hide_parameters": True, "connect_args": {"timeout": dialect.BUSY_SECONDS}}
    return {
        "hide_parameters": True,
        "pool_pre_ping": True,
        "connect_args": {"connect_timeout": CONNECT_SECONDS},
    }


def _portal(settings: config.Settings, clock: Clock) -> Portal:
    ring = KeyRing(settings.encryption_keys, settings.reload_encryption_keys)

    @lru_cache(maxsize=2)  # for those, too, who still see the state before a change
    def unwrapped(sealed: bytes) -> Vault:
        return Vault.unwrap(ring, sealed)

    def open_vault() -> Vault:
        return unwrapped(wrapped(db.session()))

    storage = Storage(settings.storage_url, ring)
    return Portal(settings, clock, storage, ring, open_vault, trust=trust_files(settings))


def trust_files(settings: config.Settings) -> TrustFiles | None:
    """Whose certificates are trusted; None where nobody signs in with a key.

    Raises SettingsError where a file is not fit.
    """
    if settings.ca_bundle is None:
        return None
    from school_portal.security.ca.trust import TrustFiles  # noqa: PLC0415  slow to import

    return TrustFiles(settings.ca_bundle, settings.ca_crls, settings.key_id_oid)
