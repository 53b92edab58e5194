"""The application factory: the core, the bell, migrations and pages."""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from school_portal import bell, blueprints, config
from school_portal.blueprints import limits
from school_portal.core import build_core
from school_portal.extensions import db
from school_portal.extensions.web import babel, csrf, migrate
from school_portal.services.portal import Clock, utc_now

ROOT = Path(__file__).resolve().parent.parent
MIB = 1024 * 1024


def build(settings: config.Settings | None = None, clock: Clock = utc_now) -> Flask:
    """The portal. Raises SettingsError where the environment is not fit."""
    settings = settings or config.read()
    app = build_core(settings, clock)
    app.template_folder = str(ROOT / "templates")
    app.config.update(
        BABEL_DEFAULT_LOCALE="zh_Hans_CN",
        MAX_CONTENT_LENGTH=64 * MIB,
        WTF_CSRF_TIME_LIMIT=None,
    )
    migrate.init_app(app, db, directory=str(ROOT / "migrations"))
    csrf.init_app(app)
    babel.init_app(app)
    bell.install(app, settings)
    limits.install(app, settings)
    blueprints.install(app)
    return app
