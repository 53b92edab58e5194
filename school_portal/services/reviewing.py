"""What a school sees of a checked roster: findings by kind and by row, rows and their outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from importers.limits import Refused as FileRefused
from importers.sandbox import annotate
from importers.template import roster_template
from school_portal.domain.identifiers import mask_document, mask_mobile
from school_portal.domain.roster import RosterAction, RosterState
from school_portal.models import (
    Roster,
    RosterIssue,
    RosterRow,
    School,
    Specialty,
)
from school_portal.security import audit
from school_portal.security.vault import Vault
from school_portal.services import checking
from school_portal.services.access import Actor, Refused
from school_portal.services.portal import Portal
from school_portal.services.transitions import last_change


@dataclass(frozen=True, slots=True)
class StagedRow:
    """A row that passed, with its numbers masked."""

    row: int
    student_no: str
    name: str
    document: str
    mobile: str
    specialty: str
    outcome: str


def issue_counts(session: Session, roster: Roster) -> list[tuple[str, str, int]]:
    """Kinds of findings: code, severity, how many; most frequent first."""
    count = sa.func.count()
    found = session.execute(
        sa.select(RosterIssue.code, RosterIssue.severity, count)
        .where(RosterIssue.roster_id == roster.id)
        .group_by(RosterIssue.code, RosterIssue.severity)
        .order_by(RosterIssue.severity, count.desc(), RosterIssue.code)
    )
    return [(code, severity, number) for code, severity, number in found]


def asked_again(session: Session, roster: Roster) -> str:
    """Why a roster that was confirmed waits for the school once more; empty where it does not."""
    if roster.state is not RosterState.CHECKED:
        return ""
    last = last_change(session, roster.subject)
    return last.reason if last and last.action == RosterAction.RECHECK else ""


def issues(
    session: Session,
    roster: Roster,
    *,
    code: str | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> Sequence[RosterIssue]:
    """Findings in the file's order; those of one kind where a code is given."""
    query = sa.select(RosterIssue).where(RosterIssue.roster_id == roster.id)
    if code is not None:
        query = query.where(RosterIssue.code == code)
    return session.scalars(query.order_by(RosterIssue.id).limit(limit).offset(offset)).all()


def rows(
    session: Session,
    vault: Vault,
    roster: Roster,
    *,
    outcome: str | None = None,
    limit: int,
    offset: int = 0,
) -> list[StagedRow]:
    """Staged rows in the file's order, numbers masked; of one outcome where it is given."""
    query = (
        sa.select(RosterRow, Specialty.name)
        .join(Specialty, Specialty.id == RosterRow.specialty_id)
        .where(RosterRow.roster_id == roster.id)
    )
    if outcome is not None:
        query = query.where(RosterRow.outcome == outcome)
    return [
        StagedRow(
            staged.row,
            staged.student_no,
            staged.name,
            mask_document(_opened(vault, staged, "document")),
            mask_mobile(_opened(vault, staged, "mobile")),
            specialty,
            staged.outcome,
        )
        for staged, specialty in session.execute(
            query.order_by(RosterRow.row).limit(limit).offset(offset)
        )
    ]


def _opened(vault: Vault, staged: RosterRow, column: str) -> str:
    sealed: bytes = getattr(staged, f"{column}_sealed")
    return vault.unseal("students", column, staged.document_index, sealed)


def still_kept(roster: Roster) -> None:
    """Raises Refused where the roster's file is kept no longer."""
    if roster.expired_at is not None:
        raise Refused("名册文件已超过保存期限，已经删除。如需再次检查，请重新上传。")


def error_workbook(session: Session, portal: Portal, roster: Roster) -> bytes:
    """The uploaded file back as xlsx, wrong cells red with a comment.

    Takes its time, and writes nothing: whoever hands it out notes that (`note_handed_back`).
    Raises Refused where the file is kept no longer, or is none that can be marked.
    """
    still_kept(roster)
    found = tuple(i.as_issue() for i in issues(session, roster))
    sheet = (roster.facts or {}).get("sheet") or roster.sheet
    try:
        with portal.storage.open(roster.storage_key) as source:
            return annotate(source, found, sheet=sheet)
    except FileRefused as refused:
        raise Refused(f"这份文件无法标注：{refused.issue.message}") from refused


def note_handed_back(session: Session, portal: Portal, actor: Actor, roster: Roster) -> None:
    """The file, whole document numbers in it, leaves the portal: on record (rulebook 11)."""
    audit.record(session, actor.label, "roster.errors", f"roster:{roster.id}", at=portal.clock())


def template(session: Session, school: School | None, today: date) -> bytes:
    """The roster workbook, with the school's own specialties in its lists where one is given."""
    return roster_template(checking.context(session, school.id if school else None, today))
