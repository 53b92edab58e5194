"""Applications of annex 2 as lists, and one of them as the centre may see it."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from school_portal.domain.account import OpeningState
from school_portal.models import AccountOpening, School
from school_portal.services.access import NotFound

# The centre sees what was handed in at some time, and no draft.
_HANDED_IN = AccountOpening.number.is_not(None)


def of_school(session: Session, school: School) -> Sequence[AccountOpening]:
    """The school's applications, the newest first."""
    return session.scalars(
        sa.select(AccountOpening)
        .where(AccountOpening.school_id == school.id)
        .order_by(AccountOpening.id.desc())
    ).all()


def counts(session: Session) -> dict[OpeningState, int]:
    """How many were handed in, by state."""
    query = sa.select(AccountOpening.state, sa.func.count()).where(_HANDED_IN)
    return dict(session.execute(query.group_by(AccountOpening.state)).all())


def page(
    session: Session, state: OpeningState | None, *, limit: int, offset: int
) -> Sequence[AccountOpening]:
    """What was handed in, the oldest first."""
    query = sa.select(AccountOpening).where(_HANDED_IN).options(joinedload(AccountOpening.school))
    if state is not None:
        query = query.where(AccountOpening.state == state)
    order = (AccountOpening.requested_at, AccountOpening.id)
    return session.scalars(query.order_by(*order).limit(limit).offset(offset)).all()


def handed_in(session: Session, opening_id: int) -> AccountOpening:
    """That application. Raises NotFound where there is none, or it never left the school."""
    query = sa.select(AccountOpening).where(AccountOpening.id == opening_id, _HANDED_IN)
    found = session.scalar(query)
    if found is None:
        raise NotFound("AccountOpening")
    return found
