"""Every page of a school, on one blueprint."""

from __future__ import annotations

from school_portal.blueprints.school import (
    applications,
    evaluation_draft,
    evaluations,
    home,
    jobs,
    plan,
    rosters,
)
from school_portal.blueprints.school.blueprint import blueprint

__all__ = [
    "applications",
    "blueprint",
    "evaluation_draft",
    "evaluations",
    "home",
    "jobs",
    "plan",
    "rosters",
]
