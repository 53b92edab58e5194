"""What belongs to nobody in particular: the entrance, help, the notices' clauses."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("entrance", __name__)
