"""The application factory."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy.orm import Session

from school_portal import bell, blueprints, config
from school_portal.embedded_redis import redis_url
from school_portal.extensions import babel, csrf, db, migrate
from school_portal.models import dialect
from school_portal.security.cipher import KeyRing
from school_portal.security.vault import Vault
from school_portal.services.portal import Clock, Portal, utc_now
from school_portal.storage import Storage

ROOT = Path(__file__).resolve().parent.parent
MIB = 1024 * 1024


def build(settings: config.Settings | None = None, clock: Clock = utc_now) -> Flask:
    """The portal. Raises SettingsError where the environment is not fit."""
    settings = settings or config.read()
    app = Flask(__name__, template_folder=str(ROOT / "templates"))
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(settings),
        BABEL_DEFAULT_LOCALE="zh_Hans_CN",
        MAX_CONTENT_LENGTH=64 * MIB,
        WTF_CSRF_TIME_LIMIT=None,
    )
    db.init_app(app)
    migrate.init_app(app, db, directory=str(ROOT / "migrations"))
    csrf.init_app(app)
    babel.init_app(app)
    with app.app_context():
        dialect.prepare(db.engine)
        app.extensions["portal"] = _portal(settings, clock)
    app.extensions["bell"] = bell.connect(redis_url(settings))
    blueprints.install(app)
    return app


def _engine_options(settings: config.Settings) -> dict[str, Any]:
    if settings.is_sqlite:
        return {"hide_parameters": True, "connect_args": {"timeout": dialect.BUSY_SECONDS}}
    return {"hide_parameters": True, "pool_pre_ping": True}


def _portal(settings: config.Settings, clock: Clock) -> Portal:
    ring = KeyRing(settings.encryption_keys, settings.reload_encryption_keys)

    @cache
    def open_vault() -> Vault:
        with Session(db.engine) as session:
            dialect.read_only(session)  # whoever needs the vault may hold SQLite's write lock
            return Vault.open(session, ring)

    return Portal(settings, clock, Storage(settings.storage_url, ring), ring, open_vault)
