"""All routes of the blueprint."""

from school_portal.blueprints.office.blueprint import blueprint

__all__ = ["blueprint"]
