"""The audit chain: what is committed is on it, in one order, and a change to it is found."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from school_portal.extensions import db
from school_portal.models import AuditEvent, AuditHead, Sequence
from school_portal.security import audit
from school_portal.services.portal import Portal
from school_portal.services.setup import initialise

EVENTS: sa.Table = AuditEvent.__table__
AT = datetime(2026, 10, 15, 2, 0, 0, 123456, tzinfo=UTC)


def actions(session: Session) -> list[str]:
    return list(session.scalars(sa.select(AuditEvent.action).order_by(AuditEvent.seq)))


def findings(session: Session) -> list[int]:
    return [finding.seq for finding in audit.verify(session)]


def note(session: Session, action: str) -> None:
    audit.record(session, "user:1", action, "roster:1", at=AT, count=3, name="学校", none=None)


@pytest.fixture
def five(session: Session) -> Session:
    """A session on a chain of five events."""
    for number in range(5):
        note(session, f"step-{number + 1}")
        session.commit()
    return session


def test_a_chain_of_events_is_sound(five: Session) -> None:
    assert actions(five) == [f"step-{number}" for number in range(1, 6)]
    assert findings(five) == []
    first = five.scalars(sa.select(AuditEvent).order_by(AuditEvent.seq)).first()
    assert first is not None
    assert (first.at, first.previous) == (AT, bytes(32))
    assert first.detail == {"count": 3, "name": "学校", "none": None}


def test_a_chain_without_any_event_has_been_emptied(session: Session) -> None:
    assert findings(session) == [1]


@pytest.mark.usefixtures("app")  # which knows the migrations
def test_the_first_event_is_the_initialising_and_comes_once(
    session: Session, portal: Portal
) -> None:
    session.execute(sa.delete(AuditHead))
    session.commit()
    for _ in range(2):
        initialise(portal.ring)
    assert actions(session) == ["portal.initialise"]
    assert findings(session) == []


def test_several_events_of_one_commit_keep_their_order(session: Session) -> None:
    for action in ("first", "second", "third"):
        note(session, action)
    session.commit()
    assert actions(session) == ["first", "second", "third"]
    assert findings(session) == []


def test_what_is_rolled_back_leaves_no_event(session: Session) -> None:
    note(session, "undone")
    session.rollback()
    note(session, "closed")
    session.execute(sa.select(AuditHead))
    session.close()
    note(session, "done")
    session.commit()
    assert actions(session) == ["done"]


def test_a_savepoint_takes_its_own_events_along(session: Session) -> None:
    note(session, "before")
    with session.begin_nested():
        note(session, "kept")
    savepoint = session.begin_nested()
    note(session, "undone")
    with session.begin_nested():
        note(session, "undone inside")
    savepoint.rollback()
    note(session, "after")
    session.commit()
    assert actions(session) == ["before", "kept", "after"]
    assert findings(session) == []


def test_the_events_are_appended_with_the_work_or_not_at_all(session: Session) -> None:
    session.add(Sequence(name="taken", value=0))
    session.commit()
    note(session, "refused")
    session.add(Sequence(name="taken", value=1))
    with pytest.raises(sa.exc.IntegrityError):
        session.commit()
    session.rollback()
    assert actions(session) == []


@pytest.mark.parametrize("value", [AT, b"bytes", 0.5, ["list"], {"a": 1}])
def test_a_detail_is_a_json_primitive(session: Session, value: object) -> None:
    with pytest.raises(TypeError, match="detail colour"):
        audit.record(session, "user:1", "paint", "wall:1", colour=value)  # type: ignore[arg-type]


def test_many_at_once_make_one_chain(app: Flask) -> None:
    workers, rounds = 4, 8
    together = Barrier(workers)

    def append(worker: int) -> None:
        with app.app_context(), Session(db.engine) as own:
            together.wait()
            for number in range(rounds):
                note(own, f"{worker}-{number}")
                note(own, f"{worker}-{number}-again")
                own.commit()

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(append, range(workers)))
    assert findings(db.session()) == []
    assert len(actions(db.session())) == workers * rounds * 2


CHANGES = {
    "actor": "user:2",
    "action": "other",
    "subject": "roster:2",
    "at": datetime(2026, 10, 15, 2, 0, tzinfo=UTC),
    "detail": {"count": 4, "name": "学校", "none": None},
    "previous": bytes(32),
    "digest": bytes(32),
}


@pytest.mark.parametrize("column", CHANGES)
@pytest.mark.parametrize("seq", [2, 5])
def test_a_changed_event_is_found(five: Session, column: str, seq: int) -> None:
    five.execute(sa.update(EVENTS).where(EVENTS.c.seq == seq).values({column: CHANGES[column]}))
    assert seq in findings(five)


def flipped(value: bytes) -> Iterator[bytes]:
    for place, byte in enumerate(value):
        for bit in range(8):
            yield value[:place] + bytes([byte ^ 1 << bit]) + value[place + 1 :]


# Only SQLite keeps an instant or JSON that is none.
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("column", ["at", "detail"])
def test_every_flipped_bit_is_found_at_its_place(five: Session, column: str) -> None:
    """Also one that leaves something unreadable, or the same said in another way."""
    kept = sa.text(f"SELECT CAST({column} AS BLOB) FROM audit_events WHERE seq = 3")
    change = sa.text(f"UPDATE audit_events SET {column} = CAST(:value AS TEXT) WHERE seq = 3")
    for value in flipped(five.scalars(kept).one()):
        five.execute(change, {"value": value})
        assert findings(five) == [3], value


def test_a_detail_said_in_another_way_is_found(five: Session) -> None:
    five.execute(
        sa.text("UPDATE audit_events SET detail = :detail WHERE seq = 3"),
        {"detail": '{"count":3, "name": "学校", "none": null}'},
    )
    assert findings(five) == [3]


def test_a_changed_event_with_a_new_hash_is_found(five: Session) -> None:
    row = dict(five.execute(sa.select(EVENTS).where(EVENTS.c.seq == 3)).mappings().one())
    row["actor"] = "user:2"
    row["digest"] = audit.digest_of(row)
    five.execute(sa.update(EVENTS).where(EVENTS.c.seq == 3).values(row))
    assert findings(five) == [4]


@pytest.mark.parametrize(
    ("removed", "found"), [([1], [1]), ([3], [3]), ([2, 3], [2]), ([5], [5]), ([4, 5], [4])]
)
def test_a_removed_event_is_found(five: Session, removed: list[int], found: list[int]) -> None:
    five.execute(sa.delete(EVENTS).where(EVENTS.c.seq.in_(removed)))
    assert findings(five) == found


def test_an_emptied_chain_is_found(five: Session) -> None:
    five.execute(sa.delete(EVENTS))
    assert findings(five) == [1]


def test_events_that_changed_places_are_found(five: Session) -> None:
    for old, new in ((2, 99), (3, 2), (99, 3)):
        five.execute(sa.update(EVENTS).where(EVENTS.c.seq == old).values(seq=new))
    assert {2, 3} <= set(findings(five))


@pytest.mark.parametrize("seq", [-1, 0, 6])
def test_an_event_from_outside_is_found(five: Session, seq: int) -> None:
    last = dict(five.execute(sa.select(EVENTS).where(EVENTS.c.seq == 5)).mappings().one())
    row = {**last, "seq": seq, "previous": last["digest"]}
    row["digest"] = audit.digest_of(row)
    five.execute(sa.insert(EVENTS).values(row))
    assert findings(five) == [seq]


@pytest.mark.parametrize(
    "change",
    [
        sa.delete(AuditHead),
        sa.update(AuditHead).values(digest=bytes(32)),
        sa.update(AuditHead).values(seq=4),
        sa.update(AuditHead).values(seq=6),
    ],
)
def test_a_touched_end_is_found(five: Session, change: sa.Delete | sa.Update) -> None:
    five.execute(change)
    assert len(findings(five)) == 1


def test_the_chain_is_read_in_batches(five: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "BATCH_SIZE", 2)
    assert findings(five) == []
    five.execute(sa.delete(EVENTS).where(EVENTS.c.seq == 4))
    assert findings(five) == [4]
