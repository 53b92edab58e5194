"""Eligible students to group applications: one body, one route, one project, at most N students."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any

from school_portal.domain.eligibility import Excluded, Held, Judge
from school_portal.domain.facts import Facts
from school_portal.domain.policy import Policy
from school_portal.domain.projects import Project
from school_portal.domain.roster import Route
from school_portal.domain.violations import Reason


@dataclass(frozen=True, slots=True)
class PlannedApplication:
    """One group application to be; no body on the qualification route; students by number."""

    body: str | None
    body_name: str | None
    route: Route
    project: Project
    students: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Every student once: in an application, excluded with reasons, or held by an application."""

    applications: tuple[PlannedApplication, ...]
    excluded: tuple[tuple[str, tuple[Reason, ...]], ...]
    held: tuple[tuple[str, int], ...]


def plan(facts: Facts, on: date, policy: Policy) -> Plan:
    """The plan for the day; the order of the facts does not matter (rulebook 7, 2 and 3)."""
    judge = Judge(facts, on, policy)
    groups: dict[tuple[Route, Project, str, str], list[str]] = defaultdict(list)
    excluded: list[tuple[str, tuple[Reason, ...]]] = []
    held: list[tuple[str, int]] = []
    for student in sorted(facts.students, key=lambda student: student.student_no):
        outcome = judge.judge(student)
        if isinstance(outcome, Held):
            held.append((student.student_no, outcome.application))
        elif isinstance(outcome, Excluded):
            excluded.append((student.student_no, outcome.reasons))
        else:
            body = outcome.body
            uscc, name = (body.uscc, body.name) if body else ("", "")
            groups[outcome.route, outcome.project, uscc, name].append(student.student_no)
    applications = tuple(
        PlannedApplication(
            uscc or None, name or None, route, project, tuple(numbers[at : at + policy.group_size])
        )
        for (route, project, uscc, name), numbers in sorted(groups.items())
        for at in range(0, len(numbers), policy.group_size)
    )
    return Plan(applications, tuple(excluded), tuple(held))


def as_document(plan: Plan, on: date, school: str) -> dict[str, Any]:
    """The contract's JSON document of a plan; `school` is the USCC."""
    return {
        "on": on.isoformat(),
        "school": school,
        "applications": [
            {
                "body": application.body,
                "body_name": application.body_name,
                "route": application.route.value,
                "occupation_code": application.project.code,
                "occupation": application.project.occupation,
                "direction": application.project.direction,
                "level": int(application.project.level),
                "students": list(application.students),
            }
            for application in plan.applications
        ],
        "excluded": [
            {
                "student_no": student_no,
                "reasons": [
                    {"code": reason.code, "clause": reason.clause, "message": reason.message}
                    for reason in reasons
                ],
            }
            for student_no, reasons in plan.excluded
        ],
        "held": [
            {"student_no": student_no, "application": application}
            for student_no, application in plan.held
        ],
    }
