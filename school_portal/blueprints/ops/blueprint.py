"""For those who run the portal."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("ops", __name__)
