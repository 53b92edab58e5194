"""All routes of the blueprint."""

from school_portal.blueprints.settings import ca, mail, notices, policies, windows, workdays
from school_portal.blueprints.settings.blueprint import blueprint

__all__ = ["blueprint", "ca", "mail", "notices", "policies", "windows", "workdays"]
