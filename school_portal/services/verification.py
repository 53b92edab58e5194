"""Receipts checked by anyone who holds one (rulebook 1, `public`): nothing personal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, get_args

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.workflow import Role
from school_portal.models import (
    AccountOpening,
    GroupApplication,
    PermissionRequest,
    SignedSubmission,
    SpecialtyEvaluation,
)
from school_portal.security import audit
from school_portal.services import receipt_files, receipts, receiving, signed_papers
from school_portal.services.access import Actor, NotFound
from school_portal.services.account_openings import UNLOCKED
from school_portal.services.portal import Portal

Paper = SpecialtyEvaluation | AccountOpening | PermissionRequest | GroupApplication


@dataclass(frozen=True, slots=True)
class HandedIn:
    """One time that a paper was handed in: when, the SHA-256 (hex) of what, and what was signed."""

    arrived_at: datetime
    digest: str
    signed: SignedSubmission | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """What the portal vouches for; the newest time it was handed in first.

    Where each line of it is decided by itself, the lines have the states and it has none.
    """

    kind: str
    number: str
    state: Enum | None
    handed_in: list[HandedIn]
    lines: Sequence[tuple[str, Enum]] = ()

    @property
    def is_signed(self) -> bool:
        """Whether there is a receipt's file of it."""
        return any(one.signed for one in self.handed_in)


def signed(session: Session, paper: Paper) -> list[HandedIn]:
    """Each time that the paper was handed in with a signature, the newest last."""
    found = signed_papers.of(session, paper.uid)
    return [HandedIn(one.arrived_at, one.digest, one) for one in found]


def _evaluation(found: SpecialtyEvaluation) -> Verified:
    handed_in = [HandedIn(one.arrived_at, one.digest, one.signed) for one in found.submissions]
    return Verified("职业技能评价专业评估申请", found.number or "", found.state, handed_in[::-1])


def _opening(session: Session, found: AccountOpening) -> Verified:
    handed_in, at = signed(session, found), found.requested_at
    # What is given back may be changed by now: unsigned, only what lies with the centre has a hash.
    unlocked = found.state in UNLOCKED
    if at and not unlocked and at not in {one.arrived_at for one in handed_in}:
        handed_in.append(HandedIn(at, receipts.of_opening(found)))
    kind = f"团体申报{found.kind.label}申请"
    return Verified(kind, found.number or "", found.state, handed_in[::-1])


def _permissions(session: Session, found: PermissionRequest) -> Verified:
    unsigned = [HandedIn(found.requested_at, receipts.of_permissions(found))]
    lines = [(line.project.label, line.state) for line in found.lines]
    handed_in = signed(session, found) or unsigned
    return Verified("申报权限申请", found.number or "", None, handed_in, lines)


def _application(session: Session, found: GroupApplication) -> Verified:
    return Verified("团体申报", found.number, found.state, signed(session, found)[::-1])


def _verified(session: Session, paper: Paper) -> Verified:
    match paper:
        case SpecialtyEvaluation():
            return _evaluation(paper)
        case AccountOpening():
            return _opening(session, paper)
        case PermissionRequest():
            return _permissions(session, paper)
        case GroupApplication():
            return _application(session, paper)


def find(session: Session, uid: str) -> Paper:
    """The paper of that uid, of whatever kind. Raises NotFound."""
    for model in get_args(Paper):
        found: Paper | None = session.scalar(sa.select(model).where(model.uid == uid))
        if found:
            return found
    raise NotFound("uid")


def verify(session: Session, paper: Paper) -> Verified:
    """What is vouched for of the paper, once it has been handed in. Raises NotFound."""
    found = _verified(session, paper)
    if not found.number or (isinstance(paper, GroupApplication) and not found.handed_in):
        raise NotFound("uid")
    return found


def may_read(actor: Actor, paper: Paper) -> bool:
    """Whether the receipt's file is for the actor: for the school, and the office that decides."""
    if actor.role is Role.SCHOOL:
        return paper.school_id == actor.school_id
    if isinstance(paper, SpecialtyEvaluation):
        return paper.training_level in receiving.training_levels(actor)
    return actor.role is Role.CENTRE and not isinstance(paper, GroupApplication)


def file(
    session: Session, portal: Portal, actor: Actor, uid: str, digest: str
) -> tuple[str, dict[str, Any]]:
    """The paper's number and the receipt of what was signed with that hash; on record.

    The certificate in it holds the keyID. Raises NotFound, Unreadable.
    """
    paper = find(session, uid)
    kept = [one for one in signed_papers.of(session, uid) if one.digest == digest]
    if not kept or not may_read(actor, paper):
        raise NotFound("SignedSubmission")
    subject, now = f"signed-submission:{kept[0].id}", portal.clock()
    audit.record(session, actor.label, "submission.receipt", subject, at=now)
    number = paper.number or ""
    return number, receipt_files.document(session, portal, kept[0], number)
