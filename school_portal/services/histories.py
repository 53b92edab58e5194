"""What was done, the newest first, as pages tell it: to one case, or to all that is a school's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from school_portal.domain.school_key import fingerprint
from school_portal.domain.workflow import Role
from school_portal.models import (
    AccountOpening,
    AuditEvent,
    EvaluationLine,
    ExtraWindow,
    Permission,
    PermissionRequest,
    School,
    SchoolAccount,
    SchoolKey,
    Specialty,
    SpecialtyEvaluation,
    StateChange,
    User,
)
from school_portal.security import audit
from school_portal.services.audit_words import AGENTS, WORDS

MOST_ACTS = 100


@dataclass(frozen=True, slots=True)
class Entry:
    """One act: who did it in which role, and why; `about` names each thing that it was done to."""

    at: datetime
    label: str
    user: User | None
    role: Role | None
    reason: str = ""
    about: tuple[str, ...] = ()
    agent: str = ""  # what acted where nobody was signed in


def of_school(session: Session, school: School) -> list[Entry]:
    """What the centre sees of a school: its account, keys, papers, permissions, evaluations.

    What the school has not handed in is not in it.
    """
    named = {one.subject: words for one, words in _things(session, school)}
    return _told(
        _changes(session, named), _requests(session, school.id), _windows(session, school.id)
    )


def of_evaluation(session: Session, evaluation: SpecialtyEvaluation) -> list[Entry]:
    """The application's moves, its panel's, and what became of its lines since."""
    lines = {one.subject: _line(one) for one in evaluation.lines}
    changes = _changes(session, {evaluation.subject: "", **lines}, evaluation.KIND)
    return _told(changes, _panel(session, evaluation))


def of_line(session: Session, line: EvaluationLine) -> list[Entry]:
    """The line's moves, and those of the application that it was in."""
    evaluation = (
        session.get(SpecialtyEvaluation, line.evaluation_id) if line.evaluation_id else None
    )
    named = {line.subject: "", **({evaluation.subject: ""} if evaluation else {})}
    return _told(_changes(session, named, line.KIND))


def of_request(session: Session, request: PermissionRequest) -> list[Entry]:
    """The request for permissions, and what was decided of each."""
    lines = {one.subject: one.project.label for one in request.lines}
    return _told(_changes(session, lines, Permission.KIND), [_request(request)])


def of_record(session: Session, subject: str, *kinds: str) -> list[Entry]:
    """What the audit trail holds of somebody's record, the last of it: acts of those kinds."""
    return _told(_acts(session, subject, *kinds))


def _things(session: Session, school: School) -> Iterator[tuple[Any, str]]:
    """Each case of the school's that the centre sees, and what it is called beside an act."""

    def of(model: Any, *more: sa.ColumnElement[bool]) -> Iterable[Any]:
        return session.scalars(sa.select(model).where(model.school_id == school.id, *more))

    yield from ((one, "") for one in of(SchoolAccount))
    yield from ((one, fingerprint(one.certificate_sha256)) for one in of(SchoolKey))
    yield from ((one, one.project.label) for one in of(Permission))
    for model in (AccountOpening, SpecialtyEvaluation):
        yield from ((one, one.number) for one in of(model, model.number.is_not(None)))
    lines = sa.select(EvaluationLine).join(EvaluationLine.specialty)
    for line in session.scalars(lines.where(Specialty.school_id == school.id)):
        yield line, _line(line)


def _line(line: EvaluationLine) -> str:
    return f"{line.specialty.name}：{line.project.label}"


def _changes(session: Session, named: Mapping[str, str], own: str = "") -> Iterator[Entry]:
    """The moves of those subjects; those of the kind `own` need not be told of what they are."""
    found = session.scalars(
        sa.select(StateChange)
        .where(StateChange.subject.in_(named))
        .options(joinedload(StateChange.user))
        .order_by(StateChange.id.desc())
    )
    for one in found:
        words, kind = named[one.subject], one.subject.partition(":")[0]
        label = WORDS[f"{kind}.{one.action}"]
        yield Entry(
            one.at,
            label.partition("：")[2] if kind == own else label,
            one.user,
            one.role,
            one.reason,
            (words,) if words else (),
        )


def _requests(session: Session, school_id: int) -> Iterator[Entry]:
    found = sa.select(PermissionRequest).where(PermissionRequest.school_id == school_id)
    yield from map(_request, session.scalars(found))


def _request(one: PermissionRequest) -> Entry:
    about = (one.number or "", *(line.project.label for line in one.lines))
    return Entry(
        one.requested_at, WORDS["permission.request"], one.requested_by, Role.SCHOOL, about=about
    )


def _windows(session: Session, school_id: int) -> Iterator[Entry]:
    """Windows opened for that school alone; only the office that opened one takes it back."""
    for one in session.scalars(sa.select(ExtraWindow).where(ExtraWindow.school_id == school_id)):
        about = (f"{one.starts_on} 至 {one.ends_on}",)
        opened, ended = WORDS["window.open"], WORDS["window.end"]
        yield Entry(one.opened_at, opened, one.opened_by, one.role, one.reason, about)
        if one.ended_at:
            yield Entry(one.ended_at, ended, None, one.role, about=about)


def _panel(session: Session, evaluation: SpecialtyEvaluation) -> Iterator[Entry]:
    """Who stepped back from the panel and why, who came instead, who handed an opinion in."""
    members = evaluation.panel.members if evaluation.panel else []
    names = {one.expert_id: one.expert.user.name for one in members}
    for one in members:
        about = (names[one.expert_id],)
        if one.recused_at:
            reason = one.recusal_reason
            yield Entry(one.recused_at, WORDS["panel.recuse"], None, None, reason, about)
        if one.finished_at:
            label, user = WORDS["opinion.finish"], one.expert.user
            yield Entry(one.finished_at, label, user, Role.EXPERT)
    yield from _acts(session, evaluation.subject, "panel.replace", names=names)


def _acts(
    session: Session, subject: str, *kinds: str, names: Mapping[int, str] | None = None
) -> Iterator[Entry]:
    """The newest events of that subject whose action begins so; what is damaged is passed over."""
    rows = session.execute(
        sa.select(*audit.columns(session))
        .where(
            AuditEvent.subject == subject,
            sa.or_(*(AuditEvent.action.startswith(kind, autoescape=True) for kind in kinds)),
        )
        .order_by(AuditEvent.seq.desc())
        .limit(MOST_ACTS)
    )
    found = [event for row in rows if (event := audit.read(row._asdict()))]
    people = _people(session, {event["actor"] for event in found})
    for event in found:
        user, expert = people.get(event["actor"]), event["detail"].get("expert")
        about = (names[expert],) if names and expert in names else ()
        label = WORDS.get(event["action"], event["action"])
        agent = AGENTS.get(event["actor"], "")
        yield Entry(event["at"], label, user, user.role if user else None, "", about, agent)


def _people(session: Session, labels: Iterable[str]) -> dict[str, User]:
    ids = [int(label[5:]) for label in labels if label.startswith("user:")]
    found = session.scalars(sa.select(User).where(User.id.in_(ids)))
    return {f"user:{one.id}": one for one in found}


def _told(*sources: Iterable[Entry]) -> list[Entry]:
    """The newest first; what was done to many in one act is one entry."""
    entries = sorted(chain(*sources), key=lambda one: one.at, reverse=True)
    return [_one_act(list(same)) for _, same in groupby(entries, key=_act)]


def _act(one: Entry) -> tuple[Any, ...]:
    return (one.at, one.label, one.user and one.user.id, one.role, one.reason)


def _one_act(same: list[Entry]) -> Entry:
    first, about = same[0], tuple(chain(*(one.about for one in same)))
    return replace(first, about=about)
