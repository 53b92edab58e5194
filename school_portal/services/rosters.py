"""A school's roster: uploaded, checked, confirmed, saved (rulebook 7, 1)."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import asdict
from datetime import date
from typing import Any, BinaryIO

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal import jobs
from school_portal.domain.identifiers import mask_numbers
from school_portal.domain.roster import ROSTER_WORKFLOW, RosterAction, RosterState
from school_portal.domain.violations import issue
from school_portal.domain.workflow import Role
from school_portal.models import (
    Job,
    JobState,
    Roster,
    RosterIssue,
)
from school_portal.security import audit
from school_portal.services import checking, merging, other_school
from school_portal.services.access import Actor, Refused, lock
from school_portal.services.checking import Checked, Verdict, check
from school_portal.services.portal import Portal
from school_portal.services.transitions import apply

MIB = 1024 * 1024
UPLOAD_LIMIT = 50 * MIB
SAVE_ATTEMPTS = 3


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

    A token that was used before gives the roster it made. Raises storage.TooLarge, and Refused
    where the school was told too often who is registered elsewhere.
    """
    if token is not None:
        known = session.scalar(
            sa.select(Roster).where(Roster.upload_token == token, Roster.school_id == school_id)
        )
        if known is not None:
            return known
    other_school.require_few(session, portal, school_id)
    stored = portal.storage.put(stream, UPLOAD_LIMIT)
    now = portal.clock()
    roster = Roster(
        school_id=school_id,
        upload_token=token,
        file_name=mask_numbers(file_name)[-255:],
        sha256=stored.sha256,
        size=stored.size,
        storage_key=stored.key,
        sheet=sheet,
        judged_on=on or portal.today(),
        state=RosterState.UPLOADED,
        uploaded_by_id=actor.user_id,
        uploaded_at=now,
    )
    session.add(roster)
    session.flush()
    _enqueue(session, portal, actor, roster, "roster-check", request_id)
    audit.record(session, actor.label, "roster.upload", f"roster:{roster.id}", sha256=stored.sha256)
    return roster


def _enqueue(
    session: Session,
    portal: Portal,
    actor: Actor,
    roster: Roster,
    kind: str,
    request_id: str | None = None,
) -> Job:
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


def save(session: Session, portal: Portal, roster_id: int) -> Iterator[Checked]:
    """Merge a confirmed roster into the students; the caller commits each step, and at the end.

    Where the school's students changed since the check, the file is checked again first; where
    that turns rows away which the school has not agreed to leave out, it is asked again.
    """
    roster = session.get_one(Roster, roster_id)
    for _ in range(SAVE_ATTEMPTS):
        lock(session, roster.school_id)
        if roster.students_version != merging.students_version(session, roster.school_id):
            yield from _stage(session, portal, roster)
            if roster.rejected and not roster.accept_valid:
                recheck = RosterAction.RECHECK
                apply(session, ROSTER_WORKFLOW, roster, recheck, Role.SYSTEM, at=portal.clock())
                return
            continue
        try:
            with session.begin_nested():
                merging.merge(session, roster, portal.clock())
        except sa.exc.IntegrityError:  # another school enrolled one of them meanwhile
            roster.students_version = None
            continue
        roster.applied_at = portal.clock()
        apply(
            session,
            ROSTER_WORKFLOW,
            roster,
            RosterAction.APPLY,
            Role.SYSTEM,
            at=roster.applied_at,
            created=roster.created,
            updated=roster.updated,
            unchanged=roster.unchanged,
        )
        return
    raise RuntimeError("the students kept changing beside the roster")


def give_up(session: Session, roster_id: int) -> None:
    """Record that no worker could finish the roster; what was staged goes."""
    roster = session.get_one(Roster, roster_id)
    if (roster.state, RosterAction.FAIL, Role.SYSTEM) not in ROSTER_WORKFLOW.table:
        return
    merging.clear(session, roster)
    merging.stage_issues(
        session, roster_id, [issue("file.unreadable", detail="（多次处理未能完成）")]
    )
    apply(session, ROSTER_WORKFLOW, roster, RosterAction.FAIL, Role.SYSTEM)


def stop(session: Session, roster_id: int) -> None:
    """Record that the school stopped the roster's job: back to its decision, or discarded."""
    roster = session.get_one(Roster, roster_id)
    if roster.state is RosterState.CONFIRMED:
        apply(session, ROSTER_WORKFLOW, roster, RosterAction.RECHECK, Role.SYSTEM)
    elif roster.state in (RosterState.UPLOADED, RosterState.READING):
        apply(session, ROSTER_WORKFLOW, roster, RosterAction.DISCARD, Role.SCHOOL)
        merging.clear(session, roster)


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
    request_id: str | None = None,
) -> Job:
    """Have a worker save the checked rows; rejected ones only stay out where that was chosen.

    Raises Refused.
    """
    if roster.rejected and not accept_valid:
        raise Refused(
            f"名册中有 {roster.rejected} 行未通过检查，未保存任何学生。"
            "请改正后重新上传，或选择只保存通过的行。"
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
    return _enqueue(session, portal, actor, roster, "roster-apply", request_id)


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
