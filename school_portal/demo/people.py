"""Who signs in to the demonstration; passwords are made once and kept in the home."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.demo.operation import COLLEGE, NEWCOMER, SECONDARY
from school_portal.domain.workflow import Role
from school_portal.models import User
from school_portal.services import accounts
from school_portal.services.access import Actor, school_of
from school_portal.services.portal import Portal

# Username: role, school, what to tell of the person; how far an account is stands on its page.
PEOPLE: Mapping[str, tuple[Role, str | None, str]] = {
    "school-1": (Role.SCHOOL, SECONDARY.uscc, f"{SECONDARY.name}操作人员"),
    "school-2": (Role.SCHOOL, COLLEGE.uscc, f"{COLLEGE.name}操作人员"),
    "school-3": (Role.SCHOOL, NEWCOMER.uscc, f"{NEWCOMER.name}操作人员"),
    "teaching": (Role.TEACHING_OFFICE, None, Role.TEACHING_OFFICE.label),
    "vocational": (Role.VOCATIONAL_DIVISION, None, Role.VOCATIONAL_DIVISION.label),
    "centre": (Role.CENTRE, None, Role.CENTRE.label),
    "bureau": (Role.BUREAU, None, Role.BUREAU.label),
    "admin": (Role.ADMIN, None, Role.ADMIN.label),
}


# The pool's; the last belongs to a school, so that a conflict of interest can be seen.
EXPERTS: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "expert-1": ("示例专家甲", "示例行业协会", ("调饮师", "药物制剂工")),
    "expert-2": ("示例专家乙", "示例研究所", ("调饮师", "医疗护理员")),
    "expert-3": ("示例专家丙", "示例医院", ("医疗护理员", "药物制剂工")),
    "expert-4": ("示例专家丁", "示例制药企业", ("药物制剂工",)),
    "expert-5": ("示例专家戊", SECONDARY.name, ("调饮师", "医疗护理员")),
}


def kept_passwords(path: Path) -> dict[str, str]:
    """By username; made where the file is absent, for nobody but the owner to read."""
    if not path.exists():
        made = {username: secrets.token_urlsafe(9) for username in (*PEOPLE, *EXPERTS)}
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(made, file)
    passwords: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return passwords


def create_people(session: Session, portal: Portal, passwords: Mapping[str, str]) -> None:
    """Whoever of PEOPLE has no account yet."""
    actor = Actor.operator_at_the_console()
    known = set(session.scalars(sa.select(User.username)))
    for username, (role, uscc, _) in PEOPLE.items():
        if username in known:
            continue
        accounts.create_user(
            session,
            actor,
            portal.clock(),
            username=username,
            name="示例操作人员" if uscc else "示例工作人员",
            password=passwords[username],
            role=role,
            school=school_of(session, uscc) if uscc else None,
        )
