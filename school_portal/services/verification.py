"""Receipts checked by anyone who holds one (rulebook 1, `public`): nothing personal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.models import (
    AccountOpening,
    GroupApplication,
    PermissionRequest,
    SpecialtyEvaluation,
)
from school_portal.services import receipts
from school_portal.services.access import NotFound
from school_portal.services.account_openings import UNLOCKED


@dataclass(frozen=True, slots=True)
class HandedIn:
    """One time that a paper was handed in: when, and the SHA-256 (hex) of what."""

    arrived_at: datetime
    digest: str


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
    has_receipt_file: bool = False


def _evaluation(session: Session, uid: str) -> Verified | None:
    found = session.scalar(sa.select(SpecialtyEvaluation).where(SpecialtyEvaluation.uid == uid))
    if found is None or found.number is None:
        return None
    handed_in = [HandedIn(one.arrived_at, one.digest) for one in found.submissions]
    return Verified("职业技能评价专业评估申请", found.number, found.state, handed_in[::-1])


def _opening(session: Session, uid: str) -> Verified | None:
    found = session.scalar(sa.select(AccountOpening).where(AccountOpening.uid == uid))
    if found is None or found.number is None or found.requested_at is None:
        return None
    # What is given back may be changed by now: only what lies with the centre has its hash.
    unlocked = found.state in UNLOCKED
    handed_in = [] if unlocked else [HandedIn(found.requested_at, receipts.of_opening(found))]
    return Verified(f"团体申报{found.kind.label}申请", found.number, found.state, handed_in)


def _permissions(session: Session, uid: str) -> Verified | None:
    found = session.scalar(sa.select(PermissionRequest).where(PermissionRequest.uid == uid))
    if found is None or found.number is None:
        return None
    handed_in = [HandedIn(found.requested_at, receipts.of_permissions(found))]
    lines = [(line.project.label, line.state) for line in found.lines]
    return Verified("申报权限申请", found.number, None, handed_in, lines)


def _group_application(session: Session, uid: str) -> Verified | None:
    found = session.scalar(sa.select(GroupApplication).where(GroupApplication.uid == uid))
    if found is None or not found.submissions:
        return None
    handed_in = [HandedIn(one.arrived_at, one.digest) for one in found.submissions]
    return Verified("团体申报", found.number, found.state, handed_in[::-1], has_receipt_file=True)


SOURCES: tuple[Callable[[Session, str], Verified | None], ...] = (
    _evaluation,
    _opening,
    _permissions,
    _group_application,
)
"""Where papers with a uid are looked for, a function for each kind."""


def verify(session: Session, uid: str) -> Verified:
    """The paper of that uid, once it has a number. Raises NotFound."""
    for source in SOURCES:
        if found := source(session, uid):
            return found
    raise NotFound("uid")
