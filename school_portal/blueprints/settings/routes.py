"""All routes of the blueprint."""

from school_portal.blueprints.settings.blueprint import blueprint

__all__ = ["blueprint"]
