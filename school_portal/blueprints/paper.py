"""Printed forms on their way out."""

from __future__ import annotations

from io import BytesIO

from flask import Response, url_for

from school_portal.blueprints.downloads import evidence
from school_portal.blueprints.http import origin


def pdf(content: bytes, name: str) -> Response:
    """The form, opened by the browser to be read and printed."""
    return evidence(BytesIO(content), name, "application/pdf")


def verification_page(uid: str) -> str:
    """The whole address that a form's code leads to, as the outside reaches it."""
    return origin() + url_for("register.verify", uid=uid)
