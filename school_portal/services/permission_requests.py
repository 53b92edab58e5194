"""A school asks for permissions together, once (rulebook 4; N17S 二3, N17H 二3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.facts import Node
from school_portal.domain.projects import Project
from school_portal.domain.roster import Route
from school_portal.models import PermissionRequest, School
from school_portal.security import audit
from school_portal.security.vault import Vault
from school_portal.services import numbering, permissions, signed_papers
from school_portal.services.access import Actor, Refused, lock
from school_portal.services.portal import Portal
from school_portal.services.signed_contents import of_permissions
from school_portal.services.signed_papers import Paper, Signed


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a school asks for together; `uid` is that of the one request that comes of it."""

    node: Node
    projects: Sequence[Project]
    uid: str = field(default_factory=lambda: uuid4().hex)


def uid_of(vault: Vault, school: School, nonce: str) -> str:
    """The uid of the request that a page asks for once: nobody can choose that of another paper."""
    return vault.index("receipt", f"permission-request:{school.uscc}:{nonce}")[:16].hex()


def request(
    session: Session,
    portal: Portal,
    actor: Actor,
    school: School,
    wanted: Wanted,
    arrived_at: datetime,
    signed: Signed | None = None,
) -> PermissionRequest:
    """Ask for permissions on the skill-level route, all or none, signed where the school has a key.

    Raises Refused, and as signed_papers.take.
    """
    school = lock(session, school.id)
    _not_yet(session, wanted.uid)
    wrong = permissions.problems(session, school, wanted.node, wanted.projects, portal.today())
    if wrong:
        raise Refused("".join(wrong))
    _sign(session, portal, actor, school, wanted, signed, arrived_at)
    year = portal.today().year
    (number,) = numbering.numbers(session, "permission-request", "QX", year)
    made = PermissionRequest(
        uid=wanted.uid,
        school_id=school.id,
        number=number,
        requested_at=arrived_at,
        requested_by_id=actor.user_id,
        lines=[
            permissions.wanted(school, Route.SKILL_LEVEL, wanted.node, one)
            for one in wanted.projects
        ],
    )
    session.add(made)
    session.flush()
    audit.record(
        session,
        actor.label,
        "permission.request",
        f"permission-request:{made.id}",
        at=portal.clock(),
        number=number,
        lines=len(made.lines),
    )
    return made


def _not_yet(session: Session, uid: str) -> None:
    number = session.scalar(sa.select(PermissionRequest.number).where(PermissionRequest.uid == uid))
    if number is not None:
        raise Refused(f"这份申请已经提交，编号 {number}，不用重复提交。")


def _sign(
    session: Session,
    portal: Portal,
    actor: Actor,
    school: School,
    wanted: Wanted,
    signed: Signed | None,
    at: datetime,
) -> None:
    key = signed_papers.key_for(portal, school)
    if key is not None:
        content = of_permissions(school, wanted.uid, wanted.node, wanted.projects)
        paper = Paper(f"school:{school.id}", school.id, content, key)
        signed_papers.take(session, portal, actor, paper, signed, at)
