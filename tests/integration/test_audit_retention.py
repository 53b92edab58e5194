"""Audit events whose time is over go from the chain's beginning, and it stays whole."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.models import AuditEvent, PolicyChange
from school_portal.security import audit
from school_portal.services import audit_retention
from school_portal.services.portal import Portal
from tests.conftest import NOW

EVENTS: sa.Table = AuditEvent.__table__
OLD, KEPT = datetime(2021, 10, 14, 15, 59, 59, tzinfo=UTC), datetime(2021, 10, 14, 16, tzinfo=UTC)


def findings(session: Session) -> list[int]:
    return [finding.seq for finding in audit.verify(session)]


def seqs(session: Session) -> list[int]:
    return list(session.scalars(sa.select(AuditEvent.seq).order_by(AuditEvent.seq)))


@pytest.fixture
def ten(session: Session) -> Session:
    """Four events whose sixty months are over since midnight in Shanghai, six that are kept."""
    for number in range(1, 11):
        audit.record(session, "user:1", f"step-{number}", "x:1", at=OLD if number < 5 else KEPT)
        session.commit()
    return session


@pytest.fixture
def retired(ten: Session, portal: Portal) -> Session:
    assert audit_retention.retire(ten, portal) == 4
    ten.commit()
    return ten


def test_the_oldest_go_and_an_event_vouches_for_the_place(retired: Session, portal: Portal) -> None:
    assert seqs(retired) == [*range(5, 12)]
    assert findings(retired) == []
    last = retired.get_one(AuditEvent, 11)
    first = retired.get_one(AuditEvent, 5)
    assert (last.action, last.detail["through"]) == ("audit.retire", 4)
    assert last.detail["digest"] == first.previous.hex()
    assert audit_retention.retire(retired, portal) == 0
    retired.commit()
    assert seqs(retired) == [*range(5, 12)]


def test_retiring_goes_on_from_where_it_ended(
    ten: Session, portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_retention, "MOST", 3)
    for gone in (3, 1, 0):
        assert audit_retention.retire(ten, portal) == gone
        ten.commit()
        assert findings(ten) == []
    assert seqs(ten) == [*range(5, 13)]


def test_one_that_is_young_keeps_all_behind_it(session: Session, portal: Portal) -> None:
    for at in (OLD, KEPT, OLD):
        audit.record(session, "user:1", "step", "x:1", at=at)
    session.commit()
    assert audit_retention.retire(session, portal) == 1
    session.commit()
    assert (seqs(session), findings(session)) == ([2, 3, 4], [])


def test_all_may_go_and_the_chain_goes_on(session: Session, portal: Portal) -> None:
    audit.record(session, "user:1", "step", "x:1", at=OLD)
    session.commit()
    assert audit_retention.retire(session, portal) == 1
    audit.record(session, "user:1", "step", "x:1", at=NOW)
    session.commit()
    assert (seqs(session), findings(session)) == ([2, 3], [])


def test_the_setting_says_how_long(session: Session, portal: Portal) -> None:
    audit.record(session, "user:1", "step", "x:1", at=datetime(2026, 4, 14, 12, tzinfo=UTC))
    session.add(PolicyChange(name="audit_months", old=60, new=6, at=NOW, reason="试行"))
    session.commit()
    assert audit_retention.retire(session, portal) == 1


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize(
    ("harm", "found"),  # before and after
    [
        ("bit in content", (7, 7)),
        ("bit in hash", (7, 7)),
        ("row removed", (7, 7)),
        ("two swapped", (7, 7)),
        ("head cut", (1, 5)),
        ("tail cut", (10, 11)),
    ],
)
def test_harm_is_found_before_and_after(
    ten: Session, portal: Portal, before: bool, harm: str, found: tuple[int, int]
) -> None:
    if before:
        _harm(ten, harm)
    audit_retention.retire(ten, portal)
    ten.commit()
    if not before:
        assert findings(ten) == []
        _harm(ten, harm)
    assert found[not before] in findings(ten)


def _harm(session: Session, harm: str) -> None:
    row = EVENTS.c.seq == 7
    if harm == "bit in content":
        session.execute(sa.update(EVENTS).where(row).values(subject="x:0"))
    elif harm == "bit in hash":
        digest = bytes(session.scalars(sa.select(EVENTS.c.digest).where(row)).one())
        flipped = bytes([digest[0] ^ 1]) + digest[1:]
        session.execute(sa.update(EVENTS).where(row).values(digest=flipped))
    elif harm == "row removed":
        session.execute(sa.delete(EVENTS).where(row))
    elif harm == "two swapped":
        for old, new in ((7, 99), (8, 7), (99, 8)):
            session.execute(sa.update(EVENTS).where(EVENTS.c.seq == old).values(seq=new))
    elif harm == "head cut":
        session.execute(sa.delete(EVENTS).where(EVENTS.c.seq <= 5))
    else:
        last = session.scalar(sa.select(sa.func.max(EVENTS.c.seq)))
        session.execute(sa.delete(EVENTS).where(EVENTS.c.seq == last))


@pytest.mark.parametrize(
    "harm",
    [
        sa.update(EVENTS).where(EVENTS.c.seq == 2).values(subject="x:0"),
        sa.delete(EVENTS).where(EVENTS.c.seq == 4),
        sa.delete(EVENTS).where(EVENTS.c.seq <= 2),
    ],
)
def test_nothing_goes_where_the_old_was_changed(
    ten: Session, portal: Portal, harm: sa.Update | sa.Delete
) -> None:
    ten.execute(harm)
    left = seqs(ten)
    assert audit_retention.retire(ten, portal) == 0
    ten.commit()
    assert seqs(ten) == left
    assert findings(ten)


@pytest.mark.parametrize(
    "values",
    [
        {"detail": {"through": 6, "digest": "00" * 32}},
        {"detail": {"through": 4, "digest": "no hash"}},
        {"detail": []},
        {"detail": {}},
        {"action": "other"},
    ],
)
def test_a_changed_retirement_is_found(retired: Session, values: dict[str, object]) -> None:
    retired.execute(sa.update(EVENTS).where(EVENTS.c.seq == 11).values(values))
    assert 11 in findings(retired)


@pytest.mark.parametrize(
    "detail",  # the one deeper than Python reads, the other beyond its numbers
    ["[" * 5000 + "]" * 5000, '{"through": 1e400, "digest": "00"}'],
)
def test_a_retirement_that_python_cannot_read_is_found(retired: Session, detail: str) -> None:
    change = sa.text("UPDATE audit_events SET detail = :detail WHERE seq = 11")
    retired.execute(change, {"detail": detail})
    assert 11 in findings(retired)


def test_a_removed_event_put_back_is_found(retired: Session) -> None:
    row = dict(retired.execute(sa.select(EVENTS).where(EVENTS.c.seq == 5)).mappings().one())
    retired.execute(sa.insert(EVENTS).values({**row, "seq": 4}))
    assert 4 in findings(retired)
