"""All routes of the blueprint."""

from school_portal.blueprints.office import evaluations, experts, lines, panels, papers
from school_portal.blueprints.office.blueprint import blueprint

__all__ = ["blueprint", "evaluations", "experts", "lines", "panels", "papers"]
