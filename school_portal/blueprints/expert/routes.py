"""All routes of the blueprint."""

from school_portal.blueprints.expert import reviews
from school_portal.blueprints.expert.blueprint import blueprint

__all__ = ["blueprint", "reviews"]
