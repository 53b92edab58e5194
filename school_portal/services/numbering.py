"""Numbers without gaps: the counter commits with what it numbers."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.models import Sequence, dialect


def numbers(session: Session, series: str, prefix: str, year: int, count: int = 1) -> list[str]:
    """The next numbers of a series in that year: prefix, year and six digits."""
    if not count:
        return []
    name = f"{series}-{year}"
    raised = sa.update(Sequence).where(Sequence.name == name).values(value=Sequence.value + count)
    last = session.scalar(raised.returning(Sequence.value))
    if last is None:
        dialect.ensure_row(session, Sequence.__table__, {"name": name, "value": 0})
        last = session.scalars(raised.returning(Sequence.value)).one()
    return [f"{prefix}{year}{number:06d}" for number in range(last - count + 1, last + 1)]
