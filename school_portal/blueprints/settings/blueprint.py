"""The blueprint, apart from its routes: no import cycle."""

from flask import Blueprint

blueprint = Blueprint("settings", __name__, url_prefix="/settings")
