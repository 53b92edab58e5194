"""Tables, one family a file."""

from school_portal.models.accounts import (
    AccountOpening,
    OpeningLine,
    PermissionRequest,
    SchoolAccount,
)
from school_portal.models.applications import (
    ApplicationMember,
    GroupApplication,
    Sequence,
)
from school_portal.models.ca import CaChallenge, CaSignature, CrlOverride, SignedSubmission
from school_portal.models.evaluations import (
    EvaluationSubmission,
    Expert,
    ExpertOpinion,
    Panel,
    PanelMember,
    Seal,
    SpecialtyEvaluation,
    TrainingProgramme,
)
from school_portal.models.ledger import Job, JobState, OutboxMessage
from school_portal.models.notices import Notice
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
from school_portal.models.personal import PersonalAct
from school_portal.models.records import (
    AuditEvent,
    AuditHead,
    Invitation,
    RecoveryCode,
    Role,
    SignIn,
    SignInDelay,
    StateChange,
    User,
    UserRole,
    WrappedKey,
)
from school_portal.models.settings import ExtraWindow, PolicyChange, WorkdayYear

__all__ = [
    "AccountOpening",
    "ApplicationMember",
    "AuditEvent",
    "AuditHead",
    "Body",
    "BodyProject",
    "CaChallenge",
    "CaSignature",
    "CatalogueOccupation",
    "Cooperation",
    "CrlOverride",
    "EvaluationLine",
    "EvaluationSubmission",
    "Expert",
    "ExpertOpinion",
    "ExtraWindow",
    "GroupApplication",
    "Invitation",
    "Job",
    "JobState",
    "Notice",
    "OpeningLine",
    "OutboxMessage",
    "Panel",
    "PanelMember",
    "Permission",
    "PermissionRequest",
    "PersonalAct",
    "PolicyChange",
    "RecoveryCode",
    "Restriction",
    "Role",
    "Roster",
    "RosterIssue",
    "RosterRow",
    "School",
    "SchoolAccount",
    "Seal",
    "Sequence",
    "SignIn",
    "SignInDelay",
    "SignedSubmission",
    "Specialty",
    "SpecialtyEvaluation",
    "StateChange",
    "Student",
    "TrainingProgramme",
    "User",
    "UserRole",
    "Wish",
    "WorkdayYear",
    "WrappedKey",
]
