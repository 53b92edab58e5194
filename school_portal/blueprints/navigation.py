"""Where each role can go from any page, and where it is."""

from __future__ import annotations

from flask import request
from flask_login import current_user

from school_portal.extensions import db
from school_portal.models import Role
from school_portal.services import notices

SCHOOL_NAVIGATION = (
    ("school.home", "首页", "home"),
    ("school.rosters", "名册", "file-spreadsheet"),
    ("school.applications", "团体申报", "users-group"),
    ("school.evaluations", "专业评估", "certificate"),
    ("school.account", "账户与权限", "user-shield"),
    ("entrance.help_page", "帮助", "help"),
)
_HOME = ("entrance.entrance", "首页", "home")
_REGISTER = ("register.bodies", "评价机构名录", "building")
_HELP = ("entrance.help_page", "帮助", "help")
_OPENINGS = ("centre.openings", "开户与变更", "clipboard-check")
_PERMISSIONS = ("centre.permissions", "申报权限", "user-shield")
_SCHOOLS = ("centre.schools", "学校账户", "lock")
_POLICIES = ("settings.policies", "规则设置", "list-check")
_WINDOWS = ("settings.windows", "受理期", "calendar")
_WORKDAYS = ("settings.workdays", "工作日", "clock")
_USERS = ("settings.users", "账户", "users-group")
_CA = ("settings.ca", "CA 证书", "certificate")
_MAIL = ("settings.mail", "邮件记录", "info-circle")
_AUDIT = ("settings.audit_trail", "审计记录", "search")
_EVALUATIONS = ("office.evaluations", "专业评估", "certificate")
_LINES = ("office.lines", "评估结论", "circle-check")
_EXPERTS = ("office.experts", "专家库", "users-group")
_REVIEWS = ("expert.reviews", "我的评估", "clipboard-check")
_OTHERS = (_HOME, _REGISTER, _HELP)
NAVIGATION = {
    Role.SCHOOL: SCHOOL_NAVIGATION,
    Role.TEACHING_OFFICE: (_HOME, _EVALUATIONS, _LINES, _WINDOWS, _REGISTER, _HELP),
    Role.VOCATIONAL_DIVISION: (_HOME, _EVALUATIONS, _LINES, _WINDOWS, _REGISTER, _HELP),
    Role.CENTRE: (
        _HOME,
        _EVALUATIONS,
        _LINES,
        _EXPERTS,
        _OPENINGS,
        _PERMISSIONS,
        _SCHOOLS,
        _POLICIES,
        _WINDOWS,
        _AUDIT,
        _REGISTER,
        _HELP,
    ),
    Role.EXPERT: (_HOME, _REVIEWS, _REGISTER, _HELP),
    Role.BUREAU: (_HOME, _POLICIES, _WINDOWS, _REGISTER, _HELP),
    Role.ADMIN: (
        _HOME,
        _USERS,
        _POLICIES,
        _WINDOWS,
        _WORKDAYS,
        _CA,
        _MAIL,
        _AUDIT,
        _REGISTER,
        _HELP,
    ),
}
# A page below another's entry of the navigation.
SECTIONS = {
    "school.roster": "school.rosters",
    "school.upload": "school.rosters",
    "school.plan": "school.applications",
    "school.application": "school.applications",
    "school.why_reveal": "school.rosters",
    "school.reveal_number": "school.rosters",
    "school.students": "school.rosters",
    "school.find_students": "school.rosters",
    "school.person": "school.rosters",
    "school.export_person": "school.rosters",
    "school.edit_person": "school.rosters",
    "school.correct_person": "school.rosters",
    "school.why_delete": "school.rosters",
    "school.delete_person": "school.rosters",
    "centre.why_reveal": "centre.openings",
    "centre.reveal_number": "centre.openings",
    "office.evaluation": "office.evaluations",
    "office.give_back": "office.evaluations",
    "office.refuse": "office.evaluations",
    "office.convene": "office.evaluations",
    "office.recuse": "office.evaluations",
    "office.replace": "office.evaluations",
    "office.seal_form": "office.evaluations",
    "office.line": "office.lines",
    "office.revoke": "office.lines",
    "office.end": "office.lines",
    "office.new_expert": "office.experts",
    "office.expert": "office.experts",
    "expert.review": "expert.reviews",
    "expert.recuse": "expert.reviews",
    "settings.new_user": "settings.users",
    "settings.invite_user": "settings.users",
    "settings.user": "settings.users",
    "settings.policy": "settings.policies",
    "settings.change_policy": "settings.policies",
    "settings.open_window": "settings.windows",
    "settings.override_crls": "settings.ca",
    "settings.load_workdays": "settings.workdays",
    "school.opening": "school.account",
    "school.new_opening": "school.account",
    "school.start_opening": "school.account",
    "school.edit_opening": "school.account",
    "school.save_opening": "school.account",
    "school.check_opening": "school.account",
    "school.new_permissions": "school.account",
    "school.request_permissions": "school.account",
    "school.confirm_permissions": "school.account",
    "centre.opening": "centre.openings",
    "centre.why_return": "centre.openings",
    "centre.school": "centre.schools",
    "centre.why_account": "centre.schools",
    "centre.new_qualification": "centre.schools",
    "centre.confirm_decision": "centre.permissions",
    "centre.permission_request": "centre.permissions",
    "school.specialties": "school.evaluations",
    "school.evaluation": "school.evaluations",
    "school.new_evaluation": "school.evaluations",
    "school.start_evaluation": "school.evaluations",
    "school.edit_evaluation": "school.evaluations",
    "school.save_evaluation": "school.evaluations",
    "school.find_project": "school.evaluations",
    "school.review_evaluation": "school.evaluations",
    "school.withdraw_evaluation": "school.evaluations",
}


def navigation() -> tuple[tuple[str, str, str], ...]:
    return NAVIGATION.get(current_user.role, _OTHERS)


def unread_notices() -> int:
    """How many notices the reader has not read; a page of a refused change writes nothing."""
    session = db.session()
    with session.no_autoflush:
        return notices.count(session, current_user.actor, unread=True)


def section(endpoint: str) -> bool:
    """Whether this page belongs to that entry of the navigation."""
    return SECTIONS.get(request.endpoint or "", request.endpoint) == endpoint
