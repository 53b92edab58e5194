"""Receipts checked by anyone who holds one (rulebook 1, `public`): nothing personal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.models import SpecialtyEvaluation
from school_portal.services.access import NotFound


@dataclass(frozen=True, slots=True)
class HandedIn:
    """One time that a paper was handed in: when, and the SHA-256 (hex) of what."""

    arrived_at: datetime
    digest: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What the portal vouches for; the newest time it was handed in first."""

    kind: str
    number: str
    state: Enum
    handed_in: list[HandedIn]


def _evaluation(session: Session, uid: str) -> Verified | None:
    found = session.scalar(sa.select(SpecialtyEvaluation).where(SpecialtyEvaluation.uid == uid))
    if found is None or found.number is None:
        return None
    handed_in = [HandedIn(one.arrived_at, one.digest) for one in found.submissions]
    return Verified("职业技能评价专业评估申请", found.number, found.state, handed_in[::-1])


SOURCES: tuple[Callable[[Session, str], Verified | None], ...] = (_evaluation,)
"""Where papers with a uid are looked for, a function for each kind."""


def verify(session: Session, uid: str) -> Verified:
    """The paper of that uid, once it has a number. Raises NotFound."""
    for source in SOURCES:
        if found := source(session, uid):
            return found
    raise NotFound("uid")
