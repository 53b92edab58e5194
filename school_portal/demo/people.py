"""Who signs in to the demonstration; passwords are made once and kept in the home."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.demo.operation import COLLEGE, SECONDARY
from school_portal.domain.workflow import Role
from school_portal.models import User
from school_portal.services import accounts
from school_portal.services.access import Actor, school_of
from school_portal.services.portal import Portal

# Username: role, school, what to tell of the person.
PEOPLE: Mapping[str, tuple[Role, str | None, str]] = {
    "school-1": (Role.SCHOOL, SECONDARY.uscc, f"{SECONDARY.name}操作人员"),
    "school-2": (Role.SCHOOL, COLLEGE.uscc, f"{COLLEGE.name}操作人员"),
    "centre": (Role.CENTRE, None, Role.CENTRE.label),
    "admin": (Role.ADMIN, None, Role.ADMIN.label),
}


def kept_passwords(path: Path) -> dict[str, str]:
    """By username; made where the file is absent, for nobody but the owner to read."""
    if not path.exists():
        made = {username: secrets.token_urlsafe(9) for username in PEOPLE}
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(made, file)
    passwords: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return passwords


def create_people(session: Session, portal: Portal, passwords: Mapping[str, str]) -> None:
    """Whoever of PEOPLE has no account yet."""
    actor = Actor.operator_at_the_console()
    known = set(session.scalars(sa.select(User.username)))
    for username, (role, uscc, name) in PEOPLE.items():
        if username in known:
            continue
        accounts.create_user(
            session,
            actor,
            portal.clock(),
            username=username,
            name=name,
            password=passwords[username],
            role=role,
            school=school_of(session, uscc) if uscc else None,
        )
