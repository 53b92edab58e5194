"""How often a school was told that somebody is registered elsewhere: counted, and bounded.

`row.other-school` answers whoever uploads a number. A few answers are a school's daily work; many
are a search for people, and the centre is told.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.violations import policy_clause
from school_portal.domain.workflow import Role
from school_portal.models import AuditEvent, Roster, RosterIssue
from school_portal.security import audit
from school_portal.services import notices, places, policies
from school_portal.services.access import Refused, lock
from school_portal.services.portal import Portal

PERIOD = timedelta(days=30)
ACTION = "roster.other-school"
CODE = "row.other-school"


class HeldElsewhere(Refused):
    """A refusal that tells where somebody is registered; it is to be counted."""


def told(session: Session, school_id: int, now: datetime) -> int:
    """How many such answers the school had within the period before now."""
    details = session.scalars(
        sa.select(AuditEvent.detail).where(
            AuditEvent.action == ACTION,
            AuditEvent.subject == _subject(school_id),
            AuditEvent.at > now - PERIOD,
        )
    )
    return sum(detail["answers"] for detail in details)


def answers_in(session: Session, roster: Roster) -> int:
    """How many such answers a roster's findings hold."""
    found = sa.select(sa.func.count()).where(
        RosterIssue.roster_id == roster.id, RosterIssue.code == CODE
    )
    return session.scalar(found) or 0


def note_check(session: Session, portal: Portal, roster: Roster, counted: int = 0) -> None:
    """Count what a roster's check tells its school, in the transaction that shows it.

    Of its answers so many were counted before.
    """
    answers = answers_in(session, roster) - counted
    if answers:
        note(session, portal, roster.school_id, answers)


def note(session: Session, portal: Portal, school_id: int, answers: int) -> None:
    """Count answers; the centre is told of a number reached, once each time it is."""
    school, now = lock(session, school_id), portal.clock()  # of two checks at once one crosses
    policy, before = policies.current(session), told(session, school_id, now)
    after = before + answers
    audit.record(
        session, "system", "roster.other-school", _subject(school_id), at=now, answers=answers
    )
    does = {
        policy.other_school_warning: "请向学校了解原因。",
        policy.other_school_limit: "在 30 日内的次数降到上限以下之前，不再检查该校的新名册。",
    }
    for number, what in does.items():
        if before < number <= after:
            title = f"{school.name}近 30 日被告知学生在其他学校登记 {after} 次"
            text = f"已达到 {number} 次。{what}每次告知都会让该校知道某个证件号码在别处有学籍。"
            token = f"other-school:{school_id}:{number}:{now:%Y%m%dT%H%M%S}"
            for user in notices.with_role(session, Role.CENTRE):
                path = places.account(school_id, Role.CENTRE)
                notices.tell(session, user, token, now, title, text, path)


def require_few(session: Session, portal: Portal, school_id: int) -> None:
    """Raises Refused where the school was told as often as it may be."""
    limit = policies.current(session).other_school_limit
    number = told(session, school_id, portal.clock())
    if number >= limit:
        raise Refused(
            f"近 30 日已 {number} 次告知本校学生在其他学校登记，达到上限 {limit} 次，"
            "暂不检查新的名册。请先核实这些学生的学籍，并与市职业技能鉴定中心联系。"
            f"（{policy_clause('other_school_limit')}）"
        )


def _subject(school_id: int) -> str:
    return f"school:{school_id}"
