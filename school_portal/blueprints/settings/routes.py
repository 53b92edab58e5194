"""All routes of the blueprint."""

from school_portal.blueprints.settings import mail, notices, policies, windows, workdays
from school_portal.blueprints.settings.blueprint import blueprint

__all__ = ["blueprint", "mail", "notices", "policies", "windows", "workdays"]
