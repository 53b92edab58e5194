"""The portal through which vocational schools apply for their students' evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from school_portal.config import Settings


def create_app(settings: Settings | None = None) -> Flask:
    """The Flask application; imported lazily, so that importing the rules does not import Flask."""
    from school_portal.app import build  # noqa: PLC0415

    return build(settings)


def create_site() -> Flask:
    """The application for a web server, its log as JSON on standard error."""
    from school_portal.logs import configure  # noqa: PLC0415

    configure()
    return create_app()
