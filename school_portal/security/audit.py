"""The audit chain: each event holds the hash of the one before (rulebook 11).

Events are gathered on the session and appended just before its commit, so that the chain's end
is locked for a moment only; what is rolled back leaves no event.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

from school_portal.models import dialect
from school_portal.models.records import AuditEvent, AuditHead

Primitive = str | int | bool | None

HEAD_ID = 1
BATCH_SIZE = 2000
RETIRE = "audit.retire"  # an event of the chain: what was before `through` has been removed
_START = bytes(32)  # what the first event holds as the hash before it
_NOTHING = (0, _START)
_TEXTS = (AuditEvent.at, AuditEvent.actor, AuditEvent.action, AuditEvent.subject, AuditEvent.detail)
_UNFIT = (KeyError, OverflowError, RecursionError, TypeError, ValueError)  # of what is no event
_PENDING = "audit_events"
_MARKS = "audit_marks"


@dataclass(frozen=True, slots=True)
class Finding:
    """Where the chain is broken; `message` is Chinese."""

    seq: int
    message: str


def start(session: Session) -> None:
    """Makes the chain's end where there is none; the first event follows it."""
    dialect.ensure_row(session, AuditHead.__table__, {"id": HEAD_ID, "seq": 0, "digest": _START})


def record(
    session: Session,
    actor: str,
    action: str,
    subject: str,
    *,
    at: datetime | None = None,
    **detail: Primitive,
) -> None:
    """An event of the session's transaction; nothing personal in any part.

    `at` is the instant it happened, the server's now where none is given. Raises TypeError for a
    detail that is no text, whole number, truth value or None.
    """
    for name, value in detail.items():
        if not isinstance(value, Primitive):
            raise TypeError(f"detail {name} is a {type(value).__name__}")
    session.info.setdefault(_PENDING, []).append(
        {
            "at": (at or datetime.now(UTC)).astimezone(UTC),
            "actor": actor,
            "action": action,
            "subject": subject,
            "detail": detail,
        }
    )


def digest_of(values: Mapping[str, Any]) -> bytes:
    """The hash of an event: SHA-256 over its fields as JSON, keys sorted, no white space, UTF-8."""
    fields = {name: values[name] for name in ("seq", "actor", "action", "subject", "detail")}
    fields["at"] = values["at"].astimezone(UTC).isoformat(timespec="microseconds")
    fields["previous"] = values["previous"].hex()
    text = json.dumps(fields, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).digest()


@event.listens_for(Session, "before_commit")
def _append(session: Session) -> None:
    """Appends what was gathered; whoever else appends waits for this commit."""
    if session.in_nested_transaction() or not session.info.get(_PENDING):
        return
    session.flush()  # the rest of the work, before the chain's end is locked
    gathered = session.info.pop(_PENDING)
    head = session.execute(
        sa.update(AuditHead)
        .where(AuditHead.id == HEAD_ID)
        .values(seq=AuditHead.seq + len(gathered))
        .returning(AuditHead.seq, AuditHead.digest)
        .execution_options(synchronize_session=False)
    ).one()
    previous, rows = head.digest, []
    for seq, values in enumerate(gathered, start=head.seq - len(gathered) + 1):
        row = {**values, "seq": seq, "previous": previous}
        row["digest"] = previous = digest_of(row)
        rows.append(row)
    session.execute(sa.insert(AuditEvent.__table__), rows)
    session.execute(
        sa.update(AuditHead)
        .where(AuditHead.id == HEAD_ID)
        .values(digest=previous)
        .execution_options(synchronize_session=False)
    )


@event.listens_for(Session, "after_transaction_create")
def _mark_savepoint(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested:
        marks = session.info.setdefault(_MARKS, {})
        marks[transaction] = len(session.info.get(_PENDING, ()))


@event.listens_for(Session, "after_soft_rollback")
def _forget_savepoint(session: Session, transaction: SessionTransaction) -> None:
    """What was gathered since the savepoint is undone with it."""
    mark = session.info.get(_MARKS, {}).get(transaction)
    if mark is not None:
        del session.info.get(_PENDING, [])[mark:]


@event.listens_for(Session, "after_transaction_end")
def _forget(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_PENDING, None)
        session.info.pop(_MARKS, None)


def length(session: Session) -> int:
    """How many events there are."""
    return session.scalar(sa.select(sa.func.count()).select_from(AuditEvent)) or 0


def verify(session: Session) -> Iterator[Finding]:
    """Every place where an event was changed, removed, moved, slipped in or cut off.

    Reads in batches; events that are appended meanwhile are verified too. Begins where events
    were removed whose time was over: an event of the chain itself vouches for that place.
    """
    first, digest = start_of(session)
    seq = first
    for row, head in _rows(session):
        if row is None:
            yield from _end(head, seq, digest)
        elif row["seq"] <= first:
            yield Finding(row["seq"], f"第 {row['seq']} 条审计记录不是由本平台写入的")
        else:
            yield from _link(row, seq, digest)
            seq, digest = row["seq"], row["digest"]


def end_of(session: Session) -> str:
    """The chain's end as it is noted elsewhere: place, colon, hash in hex; empty without events."""
    head = _head(session)
    return f"{head.seq}:{head.digest.hex()}" if head and head.digest else ""


def _head(session: Session) -> Any:
    """Place and hash of the chain's end as it is kept; None where there is none."""
    kept = (AuditHead.seq, dialect.stored(session, AuditHead.digest))
    return session.execute(sa.select(*kept).where(AuditHead.id == HEAD_ID)).one_or_none()


def verify_noted(session: Session, end: str) -> Iterator[Finding]:
    """Whether the chain still holds the event whose `end_of` was noted.

    Who can write here can cut off events and the note of the end with them: not a note elsewhere.
    """
    text, _, digest = end.partition(":")
    seq, (first, start) = int(text), start_of(session)
    noted = sa.select(dialect.stored(session, AuditEvent.digest)).where(AuditEvent.seq == seq)
    kept = start if seq == first else session.scalar(noted)
    if seq < first:
        yield Finding(seq, f"第 {seq} 条审计记录已按保存期限移除，不能再核对，请用较新的末端")
    elif kept != bytes.fromhex(digest):
        yield Finding(seq, f"第 {seq} 条审计记录与另行保存的末端不符，其后可能被截断或改写")


def start_of(session: Session) -> tuple[int, bytes]:
    """The place and hash that the first event follows: where the newest retirement ended."""
    kept = session.scalar(
        sa.select(dialect.stored(session, AuditEvent.detail))
        .where(AuditEvent.action == RETIRE)
        .order_by(AuditEvent.seq.desc())
        .limit(1)
    )
    try:
        retired = json.loads(kept) if kept else None
        return (int(retired["through"]), bytes.fromhex(retired["digest"])) if retired else _NOTHING
    except _UNFIT:  # changed: the walk finds that too
        return _NOTHING


def verify_prefix(session: Session, through: int) -> Iterator[Finding]:
    """As `verify`, of the events up to that one alone."""
    seq, digest = start_of(session)
    for row, _ in _rows(session, through):
        if row is not None:
            yield from _link(row, seq, digest)
            seq, digest = row["seq"], row["digest"]
    if seq != through:
        yield Finding(seq + 1, f"缺少第 {seq + 1} 至 {through} 条审计记录")


def _rows(
    session: Session, through: int | None = None
) -> Iterator[tuple[Mapping[str, Any] | None, Any]]:
    """The events in order, then None with the chain's end as it stood after the last of them."""
    last = None
    kept = columns(session)
    while True:
        head = _head(session)
        batch = sa.select(*kept).order_by(AuditEvent.seq).limit(BATCH_SIZE)
        if through is not None:
            batch = batch.where(AuditEvent.seq <= through)
        rows = session.execute(batch if last is None else batch.where(AuditEvent.seq > last))
        found = [row._asdict() for row in rows]
        if not found:
            yield None, head
            return
        for row in found:
            yield row, head
        last = found[-1]["seq"]


def _link(row: Mapping[str, Any], seq: int, digest: bytes) -> Iterator[Finding]:
    """What is wrong between an event and the one before it, which had that seq and hash."""
    if row["seq"] != seq + 1:
        yield Finding(seq + 1, f"缺少第 {seq + 1} 至 {row['seq'] - 1} 条审计记录")
    elif row["previous"] != digest:
        yield Finding(row["seq"], f"第 {row['seq']} 条审计记录与前一条不相连")
    if read(row) is None:
        yield Finding(row["seq"], f"第 {row['seq']} 条审计记录的内容已被改动")


def columns(session: Session) -> list[sa.ColumnElement[Any]]:
    """What `read` reads: an event's columns as they are kept."""
    kept = (*_TEXTS, AuditEvent.previous, AuditEvent.digest)
    return [AuditEvent.seq.expression, *(dialect.stored(session, one) for one in kept)]


def read(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """The event whose `columns` these are; None where it is not what was written, bit for bit."""
    try:
        texts = {
            one.key: kept.decode() if isinstance(kept := row[one.key], bytes) else kept
            for one in _TEXTS
        }
        at, detail = datetime.fromisoformat(texts["at"]), json.loads(texts["detail"])
    except _UNFIT:
        return None
    if at.isoformat(" ", "microseconds") != texts["at"] or json.dumps(detail) != texts["detail"]:
        return None  # says the same, and is not what was written
    event = {**row, **texts, "at": at.replace(tzinfo=UTC), "detail": detail}
    whole = isinstance(row["previous"], bytes) and digest_of(event) == row["digest"]
    return event if whole else None


def legible(kept: bytes | str | None) -> str:
    """What can be read of a column that was kept so."""
    text = kept.decode(errors="replace") if isinstance(kept, bytes) else kept or ""
    return "".join(each if each.isprintable() else "\ufffd" for each in text)


def _end(head: Any, seq: int, digest: bytes) -> Iterator[Finding]:
    """What is wrong between the last event and the chain's end."""
    if seq == 0 and head is not None and head.seq == 0:
        yield Finding(1, "没有任何审计记录，连初始化时写入的第一条也没有，记录可能被整体清空")
    elif head is None:
        yield Finding(seq, "审计记录的末端标记已丢失，无法确认末尾是否完整")
    elif head.seq > seq:
        yield Finding(seq + 1, f"缺少末尾第 {seq + 1} 至 {head.seq} 条审计记录")
    elif head.seq < seq:
        yield Finding(head.seq + 1, f"第 {head.seq + 1} 至 {seq} 条审计记录不是由本平台写入的")
    elif head.digest != digest:
        yield Finding(seq, f"第 {seq} 条审计记录与末端标记不符")
