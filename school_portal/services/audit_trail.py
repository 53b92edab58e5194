"""The audit trail as centre and administrators read it: filtered, newest first, exported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from school_portal import jobs
from school_portal.domain.windows import TZ
from school_portal.models import AuditEvent, AuditHead, Job, JobState, User, dialect
from school_portal.security import audit
from school_portal.services.access import Actor, Refused
from school_portal.services.audit_words import AGENTS, WORDS
from school_portal.services.portal import Portal
from school_portal.services.progress import WAITED_FOR

MOST_EXPORTED = 100_000
VERIFY = "audit-verify"


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for; what is empty is not asked. Days are Shanghai's, both included.

    `upto` is the event that was the last when the list was first opened: paging and export
    hold still while others are appended.
    """

    since: date | None = None
    until: date | None = None
    actor: str = ""
    action: str = ""
    subject: str = ""
    upto: int = 0

    @property
    def narrowed(self) -> bool:
        return any((self.since, self.until, self.actor, self.action, self.subject))


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as it is shown; of a damaged one what can still be read of it."""

    seq: int
    at: datetime | None
    who: str
    actor: str
    doing: str
    action: str
    subject: str
    detail: str
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class Chain:
    """How the chain stood when it was last walked: the job that did, and what it found.

    `broken_off` is a newer job that did not come to the end of its walk.
    """

    last: Job | None
    broken_off: Job | None
    waiting: bool

    @property
    def findings(self) -> list[str]:
        result = self.last.result if self.last else None
        return list(result["findings"]) if result else []


def newest(session: Session) -> int:
    """The last event's number."""
    return session.scalar(sa.select(AuditHead.seq).where(AuditHead.id == audit.HEAD_ID)) or 0


def _conditions(session: Session, query: Query) -> list[sa.ColumnElement[bool]]:
    at, found = AuditEvent.at, [AuditEvent.seq <= query.upto]
    if query.since:
        found.append(at >= _midnight(query.since))
    if query.until:
        found.append(at < _midnight(query.until + timedelta(days=1)))
    if query.actor:
        found.append(AuditEvent.actor.in_(_labels(session, query.actor)))
    if query.action:
        found.append(AuditEvent.action == query.action)
    if query.subject:
        kind = f"{query.subject}:"
        found.append(
            sa.or_(
                AuditEvent.subject == query.subject,
                AuditEvent.subject.startswith(kind, autoescape=True),
            )
        )
    return found


def _midnight(day: date) -> Any:
    return sa.literal(datetime.combine(day, time(), TZ), AuditEvent.at.type)


def _labels(session: Session, typed: str) -> list[str]:
    """The actor as typed, and the person with that username or name."""
    found = session.scalars(
        sa.select(User.id).where(sa.or_(User.username == typed, User.name == typed))
    )
    agents = [label for label, name in AGENTS.items() if name == typed]
    return [typed, *agents, *(f"user:{user_id}" for user_id in found)]


def count(session: Session, query: Query) -> int:
    """How many events the query finds."""
    events = sa.select(sa.func.count()).select_from(AuditEvent)
    return session.scalar(events.where(*_conditions(session, query))) or 0


def entries(
    session: Session, query: Query, *, limit: int | None = None, offset: int = 0
) -> list[Entry]:
    """What the query finds, the newest first."""
    rows = session.execute(
        sa.select(*audit.columns(session))
        .where(*_conditions(session, query))
        .order_by(AuditEvent.seq.desc())
        .limit(limit)
        .offset(offset)
    )
    kept = [row._asdict() for row in rows]
    names = _names(session, {audit.legible(row["actor"]) for row in kept})
    return [_entry(row, names) for row in kept]


def _entry(row: Mapping[str, Any], names: Mapping[str, str]) -> Entry:
    event = audit.read(row)
    texts = {name: audit.legible(row[name]) for name in ("at", "actor", "action", "subject")}
    actor, action, at = texts["actor"], texts["action"], event["at"] if event else None
    detail = _shown(event["detail"]) if event else _damaged(texts["at"], row["detail"])
    return Entry(
        row["seq"],
        at,
        names.get(actor, AGENTS.get(actor, actor)),
        actor,
        WORDS.get(action, action),
        action,
        texts["subject"],
        detail,
        damaged=event is None,
    )


def _damaged(at: str, detail: bytes | str | None) -> str:
    return (
        f"本条已被改动，无法读取原来的内容。现存的时间（UTC）：{at or '无'}；"
        f"说明：{audit.legible(detail) or '无'}"
    )


def _names(session: Session, labels: Iterable[str]) -> dict[str, str]:
    """The people behind the labels."""
    numbers = [int(label[5:]) for label in labels if label[:5] == "user:" and label[5:].isdecimal()]
    people = session.scalars(
        sa.select(User).where(User.id.in_(numbers)).options(joinedload(User.school))
    )
    return {
        f"user:{one.id}": f"{one.name}（{one.school.name if one.school else one.role.label}）"
        for one in people
    }


def _shown(detail: Mapping[str, Any]) -> str:
    """An event's particulars."""
    return "；".join(f"{name}={value}" for name, value in detail.items())


def actions(session: Session) -> Sequence[tuple[str, str]]:
    """The actions that there are events of, code and words, by their words."""
    kept = session.scalars(sa.select(dialect.stored(session, AuditEvent.action)).distinct())
    codes = {audit.legible(code) for code in kept}
    return sorted(((code, WORDS.get(code, code)) for code in codes), key=lambda one: one[1])


def note_view(session: Session, portal: Portal, actor: Actor, query: Query, found: int) -> None:
    """That somebody read the trail; what was typed to find people stays out of it."""
    _note(session, portal, actor, "audit.view", query, found)


def exported(session: Session, portal: Portal, actor: Actor, query: Query) -> list[Entry]:
    """All that the query finds, for a file; on record. Raises Refused where it is too much."""
    found = count(session, query)
    if found > MOST_EXPORTED:
        raise Refused(f"共 {found} 条，一次最多导出 {MOST_EXPORTED} 条，请缩小时间范围后再导出。")
    listed = entries(session, query)
    _note(session, portal, actor, "audit.export", query, found)
    return listed


def _note(
    session: Session, portal: Portal, actor: Actor, action: str, query: Query, found: int
) -> None:
    audit.record(
        session,
        actor.label,
        action,
        f"audit:{query.upto}",
        at=portal.clock(),
        since=query.since.isoformat() if query.since else None,
        until=query.until.isoformat() if query.until else None,
        narrowed=query.narrowed,
        events=found,
    )


def chain(session: Session) -> Chain:
    """How the chain stood when it was last walked, and whether that is asked for now."""
    asked = sa.select(Job).where(Job.kind == VERIFY).order_by(Job.created_at.desc()).limit(1)
    ended = session.scalar(asked.where(Job.state.not_in(WAITED_FOR)))
    return Chain(
        session.scalar(asked.where(Job.state == JobState.DONE)),
        ended if ended and ended.state is not JobState.DONE else None,
        session.scalar(asked.where(Job.state.in_(WAITED_FOR))) is not None,
    )


def verify(session: Session, portal: Portal, actor: Actor, request_id: str | None = None) -> Job:
    """Have a worker walk the whole chain. Raises Refused while one does."""
    if chain(session).waiting:
        raise Refused("正在核对审计记录，请稍后刷新页面查看结果。")
    now = portal.clock()
    audit.record(session, actor.label, "audit.verify", "audit:chain", at=now)
    return jobs.enqueue(
        session,
        VERIFY,
        subject_id=None,
        school_id=None,
        options={},
        actor_id=actor.user_id,
        now=now,
        request_id=request_id,
    )
