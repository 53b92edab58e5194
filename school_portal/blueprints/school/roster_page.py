"""What one roster's page shows in each of its states."""

from __future__ import annotations

import re
from typing import Any

from flask import request
from sqlalchemy.orm import Session

from school_portal.blueprints.asking import narrowed_by, one_of
from school_portal.blueprints.paging import Page, page_of
from school_portal.blueprints.school.issue_names import ISSUE_NAMES
from school_portal.domain.roster import RosterState
from school_portal.models import JobState, Roster, RosterIssue
from school_portal.services import reviewing, students
from school_portal.services.portal import Portal
from school_portal.services.progress import cause_of, latest_job, progress

_QUOTED = re.compile("“([^”]+)”")
OUTCOMES = {"create": "新增", "update": "更新", "unchanged": "无变化"}
# What a worker does for a roster in each state in which one is waited for.
WORKING = {
    RosterState.UPLOADED: "roster-check",
    RosterState.READING: "roster-check",
    RosterState.CONFIRMED: "roster-apply",
}
JUDGED = (RosterState.CHECKED, RosterState.CONFIRMED, RosterState.APPLIED, RosterState.FAILED)


def roster_page(session: Session, portal: Portal, roster: Roster) -> dict[str, Any]:
    """The roster, its job while one is waited for, and the check's findings or rows."""
    kind = WORKING.get(roster.state)
    job = latest_job(session, roster.school_id, roster.id, kind) if kind else None
    current = progress(session, job, portal.clock()) if job else None
    waits = current is not None and current.waits
    taken_up = waits and job is not None and job.state is JobState.RUNNING
    queued = roster.state is RosterState.UPLOADED
    shown: dict[str, Any] = {
        "roster": roster,
        "state": RosterState.READING if queued and taken_up else roster.state,
        "progress": current if waits else None,
        "stalled": cause_of(job) if job and not waits else None,
        "asked_again": reviewing.asked_again(session, roster),
        "outcomes": OUTCOMES,
        "issue_names": ISSUE_NAMES,
    }
    if roster.state in JUDGED and not (waits and roster.state is not RosterState.CONFIRMED):
        shown |= _findings(session, portal, roster)
    return shown


def _findings(session: Session, portal: Portal, roster: Roster) -> dict[str, Any]:
    counts = reviewing.issue_counts(session, roster)
    found = sum(number for _, _, number in counts)
    file_issues = [
        issue
        for code, _, _ in counts
        if code.startswith("file.")
        for issue in reviewing.issues(session, roster, code=code)
    ]
    saved = roster.state is RosterState.APPLIED
    show = narrowed_by("show", one_of("issues", "rows"))
    show = show or ("issues" if found and not saved else "rows")
    if show == "issues":
        listed = _issues(session, roster, counts)
    else:
        listed = (_students if saved else _rows)(session, portal, roster)
    return {
        "counts": counts,
        "found": found,
        "file_issues": file_issues,
        "sheets": [name for issue in file_issues for name in sheets_in(issue)],
        "show": show,
        **listed,
    }


def sheets_in(issue: RosterIssue) -> list[str]:
    """The sheets that the finding offers: it names them in quotation marks, and nothing else.

    A sheet that was asked for and is not there stands first, and is no choice.
    """
    if issue.code != "file.several-sheets":
        return []
    named = _QUOTED.findall(issue.message)
    return named[1:] if issue.message.startswith("文件中没有") else named


def _issues(session: Session, roster: Roster, counts: list[tuple[str, str, int]]) -> dict[str, Any]:
    code = request.args.get("code", "")
    total = sum(number for kind, _, number in counts if code in ("", kind))
    page = page_of(total)
    issues = reviewing.issues(
        session, roster, code=code or None, limit=page.size, offset=page.offset
    )
    return {"code": code, "page": page, "listed": issues}


def _students(session: Session, portal: Portal, roster: Roster) -> dict[str, Any]:
    """Those whom the roster saved, as they are now."""
    wanted, sort = students.Wanted(roster_id=roster.id), request.args.get("sort", "number")
    where = (session, portal.vault, roster.school, wanted)
    page = page_of(students.count(*where))
    listed = students.page(*where, sort=sort, limit=page.size, offset=page.offset)
    return {"page": page, "listed": listed, "sort": sort}


def _rows(session: Session, portal: Portal, roster: Roster) -> dict[str, Any]:
    outcome = narrowed_by("outcome", one_of(*OUTCOMES)) or ""
    numbers = {
        "create": roster.created,
        "update": roster.updated,
        "unchanged": roster.unchanged,
    }
    page: Page = page_of(numbers.get(outcome, roster.accepted))
    rows = reviewing.rows(
        session,
        portal.vault,
        roster,
        outcome=outcome or None,
        limit=page.size,
        offset=page.offset,
    )
    return {"outcome": outcome, "numbers": numbers, "page": page, "listed": rows}
