"""A school's pages."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("school", __name__, url_prefix="/school")
