"""What a worker does with a confirmed roster, and what becomes of one that no worker finished."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.roster import ROSTER_WORKFLOW, RosterAction, RosterState
from school_portal.domain.workflow import Role
from school_portal.models import Job, Roster
from school_portal.security import audit
from school_portal.services import merging, other_school
from school_portal.services.access import Actor, Refused, hold, lock
from school_portal.services.portal import Portal
from school_portal.services.rosters import active_job, enqueue
from school_portal.services.transitions import apply

SAVE_ATTEMPTS = 3
# A file that nobody has read to its end is read from its beginning.
READ_ANEW = frozenset({RosterState.UPLOADED, RosterState.READING})


def save(session: Session, portal: Portal, roster_id: int) -> None:
    """Merge a confirmed roster into the students: what was accepted, or nothing.

    Rosters of one school wait for one another. Where its students changed since the check, the
    staged rows are compared again; where some may be taken no longer, the school is asked again.
    Raises IntegrityError where other schools kept enrolling persons of the roster meanwhile.
    """
    roster = session.get_one(Roster, roster_id)
    lock(session, roster.school_id)
    for attempts_left in reversed(range(SAVE_ATTEMPTS)):
        if roster.students_version != merging.students_version(session, roster.school_id):
            counted = other_school.answers_in(session, roster)
            gone = merging.compare_again(session, portal, roster)
            if gone:
                other_school.note_check(session, portal, roster, counted)
                _ask_again(session, portal, roster, gone)
                return
        try:
            with session.begin_nested():
                merging.merge(session, roster, portal.clock())
            break
        except sa.exc.IntegrityError:  # another school enrolled one of them meanwhile
            if not attempts_left:
                raise
            roster.students_version = None
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


def _ask_again(session: Session, portal: Portal, roster: Roster, gone: int) -> None:
    apply(
        session,
        ROSTER_WORKFLOW,
        roster,
        RosterAction.RECHECK,
        Role.SYSTEM,
        at=portal.clock(),
        reason=f"确认之后学生信息有变化，其中 {gone} 行现在不能保存，因此没有保存任何一行。"
        "请查看问题后重新确认。",
    )


def give_up(session: Session, roster_id: int) -> None:
    """No worker could finish what the roster waits for: it waits for the school to ask again.

    Its file and, of a confirmed one, its rows are kept; a half of the rows is not.
    """
    roster = session.get_one(Roster, roster_id)
    if roster.state in READ_ANEW:
        merging.clear(session, roster)


def resume(
    session: Session,
    portal: Portal,
    actor: Actor,
    roster: Roster,
    *,
    request_id: str | None = None,
) -> Job:
    """Have a worker do again what was given up: check the file, or save the rows.

    Raises Refused where a worker is at it, and where nothing waits.
    """
    hold(session, roster)
    if active_job(session, roster):
        raise Refused("这份名册正在处理，请等待处理结束。")
    if roster.state not in READ_ANEW and roster.state is not RosterState.CONFIRMED:
        raise Refused(f"名册“{roster.state.label}”，没有需要继续的处理。请刷新页面查看最新状态。")
    audit.record(session, actor.label, "roster.resume", roster.subject, at=portal.clock())
    kind = "roster-apply" if roster.state is RosterState.CONFIRMED else "roster-check"
    return enqueue(session, portal, actor, roster, kind, request_id)


def stop(session: Session, roster_id: int) -> None:
    """Record that the school stopped the roster's job: back to its decision, or discarded."""
    roster = session.get_one(Roster, roster_id)
    if roster.state is RosterState.CONFIRMED:
        apply(
            session,
            ROSTER_WORKFLOW,
            roster,
            RosterAction.RECHECK,
            Role.SYSTEM,
            reason="学校停止了保存，没有保存任何一行。",
        )
    elif roster.state in READ_ANEW:
        apply(session, ROSTER_WORKFLOW, roster, RosterAction.DISCARD, Role.SCHOOL)
        merging.clear(session, roster)
