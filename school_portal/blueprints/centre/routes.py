"""All routes of the blueprint."""

from school_portal.blueprints.centre import keys, openings, papers, permissions, reveal, schools
from school_portal.blueprints.centre.blueprint import blueprint

__all__ = ["blueprint", "keys", "openings", "papers", "permissions", "reveal", "schools"]
