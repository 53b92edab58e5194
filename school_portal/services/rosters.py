"""A school's roster: uploaded, checked, confirmed, saved (rulebook 7, 1)."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import asdict
from datetime import date
from hashlib import sha256
from typing import Any, BinaryIO

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from school_portal import jobs
from school_portal.domain.identifiers import mask_numbers
from school_portal.domain.plain_text import plain_name
from school_portal.domain.roster import ROSTER_WORKFLOW, RosterAction, RosterState
from school_portal.domain.workflow import Role
from school_portal.models import (
    Job,
    JobState,
    Roster,
    RosterIssue,
)
from school_portal.security import audit
from school_portal.services import checking, merging, other_school
from school_portal.services.access import Actor, Refused
from school_portal.services.checking import Checked, Verdict, check
from school_portal.services.portal import Portal
from school_portal.services.transitions import apply

MIB = 1024 * 1024
UPLOAD_LIMIT = 50 * MIB


def upload(
    session: Session,
    portal: Portal,
    actor: Actor,
    school_id: int,
    stream: BinaryIO,
    file_name: str,
    *,
    sheet: str | None = None,
    on: date | None = None,
    token: str | None = None,
    request_id: str | None = None,
) -> Roster:
    """Keep the file, encrypted, and have a worker check it as of `on` (default: today).

    The same file, for the same sheet, sent again by the same form (`token`) is the roster that
    was made of it, at once or a moment later; another file is another roster, whatever sent it.
    Raises streams.TooLarge, and Refused where the school was told too often who is registered
    elsewhere.
    """
    other_school.require_few(session, portal, school_id)
    stored = portal.storage.put(stream, UPLOAD_LIMIT)
    sent = _sent(school_id, token, stored.sha256, sheet) if token is not None else None
    now = portal.clock()
    roster = Roster(
        school_id=school_id,
        upload_token=sent,
        file_name=mask_numbers(plain_name(file_name)) or "名册",
        sha256=stored.sha256,
        size=stored.size,
        storage_key=stored.key,
        sheet=sheet,
        judged_on=on or portal.today(),
        state=RosterState.UPLOADED,
        uploaded_by_id=actor.user_id,
        uploaded_at=now,
    )
    try:
        with session.begin_nested():
            session.add(roster)
    except IntegrityError:
        known = session.scalar(sa.select(Roster).where(Roster.upload_token == sent))
        if known is None:
            raise
        portal.storage.delete(stored.key)
        return known
    enqueue(session, portal, actor, roster, "roster-check", request_id)
    audit.record(session, actor.label, "roster.upload", f"roster:{roster.id}", sha256=stored.sha256)
    return roster


def _sent(school_id: int, token: str, digest: str, sheet: str | None) -> str:
    """What one click sends, as it is kept: the same for a second one, and for nothing else."""
    return sha256("\n".join((str(school_id), token, digest, sheet or "")).encode()).hexdigest()


def enqueue(
    session: Session,
    portal: Portal,
    actor: Actor,
    roster: Roster,
    kind: str,
    request_id: str | None = None,
) -> Job:
    """A job of the roster's, of that kind."""
    return jobs.enqueue(
        session,
        kind,
        subject_id=roster.id,
        school_id=roster.school_id,
        options={},
        actor_id=actor.user_id,
        now=portal.clock(),
        request_id=request_id,
    )


def read(session: Session, portal: Portal, roster_id: int) -> Iterator[Checked]:
    """Check an uploaded roster and stage its rows; the caller commits after each step.

    Begins anew whatever an earlier attempt left; ends with the roster checked or failed.
    """
    roster = session.get_one(Roster, roster_id)
    apply(session, ROSTER_WORKFLOW, roster, RosterAction.READ, Role.SYSTEM, at=portal.clock())
    readable = yield from _stage(session, portal, roster)
    action = RosterAction.FINISH if readable else RosterAction.FAIL
    apply(session, ROSTER_WORKFLOW, roster, action, Role.SYSTEM, at=portal.clock())
    other_school.note_check(session, portal, roster)


def _stage(session: Session, portal: Portal, roster: Roster) -> Generator[Checked, None, bool]:
    """Whether the file could be read; where not, only the findings that say so are kept."""
    merging.clear(session, roster)
    # Known again once every row is staged: a half of them must never look like the whole.
    roster.students_version = None
    students_version = merging.students_version(session, roster.school_id)
    roster_id, school_id = roster.id, roster.school_id
    name, sheet = roster.file_name, roster.sheet
    verdict = Verdict()
    yield Checked([], [], 0, None, None)  # it is seen at once that somebody reads
    with portal.storage.open(roster.storage_key) as source:
        for step in check(
            session, portal, school_id, source, name, sheet=sheet, today=roster.judged_on
        ):
            merging.stage_rows(session, portal.vault, roster_id, step.compared)
            merging.stage_issues(session, roster_id, step.issues)
            verdict.add(step)
            yield step
    roster.students_version = students_version
    roster.facts = asdict(verdict.facts)
    if verdict.refusals:
        merging.clear(session, roster)
        merging.stage_issues(session, roster_id, verdict.refusals)
    roster.accepted = verdict.accepted
    roster.rejected = verdict.rejected
    merging.count_outcomes(session, roster)
    return not verdict.refusals


def may_confirm(roster: Roster, *, accept_valid: bool) -> bool:
    """Whether the roster waits for the school, and leaves nobody out whom it did not agree to."""
    waits = roster.state is RosterState.CHECKED
    return waits and roster.accepted > 0 and (accept_valid or not roster.rejected)


def confirm(
    session: Session,
    portal: Portal,
    actor: Actor,
    roster: Roster,
    *,
    accept_valid: bool,
    expected: int | None = None,
    request_id: str | None = None,
) -> Job:
    """Have a worker save the checked rows; rejected ones only stay out where that was chosen.

    `expected` is the number of rows that the person saw. Raises Refused.
    """
    if roster.rejected and not accept_valid:
        raise Refused(
            f"名册中有 {roster.rejected} 行未通过检查，未保存任何学生。"
            "请改正后重新上传，或选择只保存通过的行。"
        )
    if not roster.accepted:
        raise Refused("名册中没有可以保存的行，未保存任何学生。请补充或改正后重新上传。")
    if expected not in (None, roster.accepted):
        raise Refused(
            f"名册的检查结果已经改变，现在通过的是 {roster.accepted} 行，未保存任何学生。"
            "请查看最新结果后重新确认。"
        )
    apply(
        session,
        ROSTER_WORKFLOW,
        roster,
        RosterAction.CONFIRM,
        Role.SCHOOL,
        actor=actor,
        at=portal.clock(),
        accepted=roster.accepted,
        rejected=roster.rejected,
    )
    roster.accept_valid = accept_valid
    return enqueue(session, portal, actor, roster, "roster-apply", request_id)


def discard(session: Session, actor: Actor, roster: Roster) -> None:
    """Give a roster up before anything of it was saved. Raises Refused."""
    job = active_job(session, roster)
    if job is not None:
        jobs.request_cancel(session, job)
    apply(session, ROSTER_WORKFLOW, roster, RosterAction.DISCARD, Role.SCHOOL, actor=actor)
    merging.clear(session, roster)


def document(session: Session, roster: Roster) -> dict[str, Any]:
    """The contract's document of `roster import`."""
    found = session.scalars(
        sa.select(RosterIssue).where(RosterIssue.roster_id == roster.id).order_by(RosterIssue.id)
    )
    issues = [i.as_issue() for i in found]
    saved = roster.state is RosterState.APPLIED
    return {
        **checking.document(roster.facts or {}, roster.accepted, roster.rejected, issues),
        "roster": roster.id,
        "created": roster.created if saved else 0,
        "updated": roster.updated if saved else 0,
        "unchanged": roster.unchanged if saved else 0,
    }


def active_job(session: Session, roster: Roster) -> Job | None:
    """The roster's job that is queued or running, if any."""
    return session.scalar(
        sa.select(Job)
        .where(
            Job.subject_id == roster.id,
            Job.kind.in_(("roster-check", "roster-apply")),
            Job.state.in_((JobState.QUEUED, JobState.RUNNING)),
        )
        .order_by(Job.created_at.desc())
        .limit(1)
    )
