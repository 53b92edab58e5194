"""Tables, one family a file."""

from school_portal.models.applications import ApplicationMember, GroupApplication, Sequence
from school_portal.models.ledger import Job, JobState, OutboxMessage
from school_portal.models.organisations import (
    Body,
    BodyProject,
    CatalogueOccupation,
    Cooperation,
    EvaluationLine,
    Permission,
    Restriction,
    School,
    Specialty,
)
from school_portal.models.people import Roster, RosterIssue, RosterRow, Student, Wish
from school_portal.models.records import AuditEvent, AuditHead, Role, SignIn, User, WrappedKey

__all__ = [
    "ApplicationMember",
    "AuditEvent",
    "AuditHead",
    "Body",
    "BodyProject",
    "CatalogueOccupation",
    "Cooperation",
    "EvaluationLine",
    "GroupApplication",
    "Job",
    "JobState",
    "OutboxMessage",
    "Permission",
    "Restriction",
    "Role",
    "Roster",
    "RosterIssue",
    "RosterRow",
    "School",
    "Sequence",
    "SignIn",
    "Specialty",
    "Student",
    "User",
    "Wish",
    "WrappedKey",
]
