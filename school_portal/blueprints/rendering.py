"""What templates may use: dates, sizes, states and addresses as people read them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Flask, current_app, request, url_for
from flask_login import current_user

from school_portal.blueprints.clauses import cited
from school_portal.blueprints.http import key_agent
from school_portal.domain.account import AccountState, OpeningState
from school_portal.domain.group_application import ApplicationState, MemberState
from school_portal.domain.permission import PermissionState
from school_portal.domain.roster import RosterState
from school_portal.domain.specialty_evaluation import EvaluationState, LineState
from school_portal.domain.windows import TZ
from school_portal.extensions import db
from school_portal.models import Role
from school_portal.services import notices

PORTAL_NAME = "职业技能评价团体申报平台"
_WEEKDAYS = "一二三四五六日"


@dataclass(frozen=True, slots=True)
class Look:
    """A state as a page shows it: never by colour alone."""

    colour: str
    icon: str
    word: str


# By type first: members of two workflows with the same value are equal.
LOOKS: dict[type[Enum], dict[Any, Look]] = {
    RosterState: {
        RosterState.UPLOADED: Look("blue", "clock", "等待检查"),
        RosterState.READING: Look("blue", "loader-2", "检查中"),
        RosterState.CHECKED: Look("orange", "alert-triangle", "待确认"),
        RosterState.CONFIRMED: Look("blue", "loader-2", "保存中"),
        RosterState.APPLIED: Look("green", "circle-check", "已保存"),
        RosterState.FAILED: Look("red", "circle-x", "未通过检查"),
        RosterState.DISCARDED: Look("grey", "trash", "已放弃"),
        RosterState.UNDONE: Look("grey", "arrow-back-up", "已撤销"),
    },
    ApplicationState: {
        ApplicationState.DRAFT: Look("grey", "pencil", ApplicationState.DRAFT.label),
        ApplicationState.SIGNED: Look("blue", "certificate", ApplicationState.SIGNED.label),
        ApplicationState.SUBMITTED: Look("blue", "clock", ApplicationState.SUBMITTED.label),
        ApplicationState.ACCEPTED: Look("green", "circle-check", ApplicationState.ACCEPTED.label),
        ApplicationState.RETURNED: Look("orange", "arrow-back-up", ApplicationState.RETURNED.label),
        ApplicationState.SCHEDULED: Look("green", "calendar", ApplicationState.SCHEDULED.label),
        ApplicationState.RESULTS_RECORDED: Look(
            "green", "clipboard-check", ApplicationState.RESULTS_RECORDED.label
        ),
        ApplicationState.CLOSED: Look("dark", "check", ApplicationState.CLOSED.label),
        ApplicationState.WITHDRAWN: Look("dark", "ban", ApplicationState.WITHDRAWN.label),
    },
    EvaluationState: {
        EvaluationState.DRAFT: Look("grey", "pencil", "草稿 · 未提交"),
        EvaluationState.SUBMITTED: Look("blue", "clock", "已提交 · 待受理"),
        EvaluationState.RETURNED: Look("orange", "arrow-back-up", "退回补正"),
        EvaluationState.ACCEPTED: Look("blue", "clipboard-check", "已受理 · 待组专家组"),
        EvaluationState.NOT_ACCEPTED: Look("red", "circle-x", "不予受理"),
        EvaluationState.UNDER_PANEL_REVIEW: Look("blue", "users-group", "专家评估中"),
        EvaluationState.OPINION_RECORDED: Look("blue", "certificate", "已有意见 · 待盖章"),
        EvaluationState.SEALED: Look("green", "circle-check", "已盖章生效"),
        EvaluationState.WITHDRAWN: Look("dark", "ban", "已撤回"),
    },
    LineState: {
        LineState.PENDING: Look("blue", "clock", "待评估"),
        LineState.APPROVED: Look("green", "circle-check", "同意"),
        LineState.REFUSED: Look("red", "circle-x", "不同意"),
        LineState.REVOKED: Look("dark", "ban", "已撤销"),
        LineState.EXPIRED: Look("dark", "ban", "已到期"),
    },
    OpeningState: {
        OpeningState.DRAFT: Look("grey", "pencil", "草稿 · 未提交"),
        OpeningState.REQUESTED: Look("blue", "clock", "已申请 · 待交原件"),
        OpeningState.ORIGINAL_RECEIVED: Look("blue", "clipboard-check", "已收原件 · 待审批"),
        OpeningState.APPROVED: Look("green", "circle-check", "已批准"),
        OpeningState.RETURNED: Look("orange", "arrow-back-up", "已退回"),
        OpeningState.WITHDRAWN: Look("dark", "ban", "已撤回"),
    },
    AccountState: {
        AccountState.NOT_OPEN: Look("grey", "clock", AccountState.NOT_OPEN.label),
        AccountState.APPROVED: Look("blue", "clock", AccountState.APPROVED.label),
        AccountState.OPEN: Look("green", "circle-check", AccountState.OPEN.label),
        AccountState.SUSPENDED: Look("orange", "ban", AccountState.SUSPENDED.label),
        AccountState.CLOSED: Look("dark", "ban", AccountState.CLOSED.label),
    },
    PermissionState: {
        PermissionState.REQUESTED: Look("blue", "clock", PermissionState.REQUESTED.label),
        PermissionState.GRANTED: Look("green", "circle-check", PermissionState.GRANTED.label),
        PermissionState.REFUSED: Look("red", "circle-x", PermissionState.REFUSED.label),
        PermissionState.REVOKED: Look("dark", "ban", PermissionState.REVOKED.label),
        PermissionState.WITHDRAWN: Look("dark", "ban", PermissionState.WITHDRAWN.label),
    },
    MemberState: {
        MemberState.INCLUDED: Look("grey", "check", MemberState.INCLUDED.label),
        MemberState.RETURNED: Look("orange", "arrow-back-up", MemberState.RETURNED.label),
        MemberState.WITHDRAWN: Look("dark", "ban", MemberState.WITHDRAWN.label),
        MemberState.REPLACED: Look("dark", "ban", MemberState.REPLACED.label),
        MemberState.PASSED: Look("green", "circle-check", MemberState.PASSED.label),
        MemberState.FAILED: Look("red", "circle-x", MemberState.FAILED.label),
    },
}

SCHOOL_NAVIGATION = (
    ("school.home", "首页", "home"),
    ("school.rosters", "名册", "file-spreadsheet"),
    ("school.applications", "团体申报", "users-group"),
    ("school.evaluations", "专业评估", "certificate"),
    ("school.account", "账户与权限", "user-shield"),
    ("school.who", "个人信息", "search"),
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
    "school.why_reveal": "school.who",
    "school.reveal_number": "school.who",
    "school.find_person": "school.who",
    "school.person": "school.who",
    "school.export_person": "school.who",
    "school.edit_person": "school.who",
    "school.correct_person": "school.who",
    "school.why_delete": "school.who",
    "school.delete_person": "school.who",
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
    "school.edit_opening": "school.account",
    "school.save_opening": "school.account",
    "school.check_opening": "school.account",
    "school.new_permissions": "school.account",
    "school.request_permissions": "school.account",
    "centre.opening": "centre.openings",
    "centre.why_return": "centre.openings",
    "centre.school": "centre.schools",
    "centre.why_account": "centre.schools",
    "centre.new_qualification": "centre.schools",
    "centre.confirm_decision": "centre.permissions",
    "school.specialties": "school.evaluations",
    "school.evaluation": "school.evaluations",
    "school.edit_evaluation": "school.evaluations",
    "school.find_project": "school.evaluations",
    "school.review_evaluation": "school.evaluations",
    "school.withdraw_evaluation": "school.evaluations",
}


def day(value: date | datetime | None, none: str = "—") -> str:
    """2026-10-15（周四）, in Shanghai."""
    if value is None:
        return none
    if isinstance(value, datetime):
        value = value.astimezone(TZ).date()
    return f"{value:%Y-%m-%d}（周{_WEEKDAYS[value.weekday()]}）"


def moment(value: datetime | None) -> str:
    """2026-10-15（周四）14:32, in Shanghai."""
    return f"{day(value)}{value.astimezone(TZ):%H:%M}" if value else "—"


def grouped(masked: str) -> str:
    """A masked document number in groups: 310104 ******** 0026."""
    return f"{masked[:6]} {masked[6:-4]} {masked[-4:]}" if len(masked) == 18 else masked


def size(octets: int) -> str:
    """12 KB, 3.4 MB."""
    if octets < 1024 * 1024:
        return f"{max(1, round(octets / 1024))} KB"
    return f"{octets / 1024 / 1024:.1f} MB"


def state_look(state: Enum | Look) -> Look:
    return state if isinstance(state, Look) else LOOKS[type(state)][state]


def state_tabs(counts: Mapping[Any, int]) -> list[tuple[str, str]]:
    """A tab for each state of one workflow that there is something in."""
    looks = LOOKS[type(next(iter(counts)))] if counts else {}
    return [(str(s), f"{look.word} {counts[s]}") for s, look in looks.items() if s in counts]


def here(**changes: Any) -> str:
    """This page's address with some of its choices changed; None removes one."""
    return url_for(str(request.endpoint), **(request.view_args or {})) + address_query(**changes)


def address_query(**changes: Any) -> str:
    """This page's choices, some of them changed, as an address ends with them.

    They are the visitor's words: never arguments of `url_for`, which has options of its own.
    """
    kept = {**request.args, **changes}
    query = urlencode([(name, value) for name, value in kept.items() if value is not None])
    return f"?{query}" if query else ""


@cache
def _digest(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12]


def asset(name: str) -> str:
    """A static file's address, with its content's hash: it may be kept for ever."""
    return url_for("static", filename=name, v=_digest(f"{current_app.static_folder}/{name}"))


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


def register(app: Flask) -> None:
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(day=day, moment=moment, grouped=grouped, size=size)
    app.jinja_env.globals.update(
        portal_name=PORTAL_NAME,
        look=Look,
        state_look=state_look,
        state_tabs=state_tabs,
        here=here,
        address_query=address_query,
        key_agent=key_agent,
        asset=asset,
        cited=cited,
        navigation=navigation,
        unread_notices=unread_notices,
        section=section,
    )
