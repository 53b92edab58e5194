"""Every page of a school, on one blueprint."""

from __future__ import annotations

from school_portal.blueprints.school import (
    account,
    applications,
    evaluation_draft,
    evaluations,
    home,
    jobs,
    papers,
    permissions,
    persons,
    plan,
    remedies,
    reveal,
    rosters,
    students,
)
from school_portal.blueprints.school.blueprint import blueprint

__all__ = [
    "account",
    "applications",
    "blueprint",
    "evaluation_draft",
    "evaluations",
    "home",
    "jobs",
    "papers",
    "permissions",
    "persons",
    "plan",
    "remedies",
    "reveal",
    "rosters",
    "students",
]
