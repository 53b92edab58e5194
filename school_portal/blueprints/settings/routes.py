"""All routes of the blueprint."""

from school_portal.blueprints.settings import audit, mail, notices, policies, windows, workdays
from school_portal.blueprints.settings.blueprint import blueprint

__all__ = ["audit", "blueprint", "mail", "notices", "policies", "windows", "workdays"]
