"""The blueprint, apart from its routes: no import cycle."""

from flask import Blueprint

blueprint = Blueprint("office", __name__, url_prefix="/office")
