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
