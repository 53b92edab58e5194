"""Checked rows staged beside the students, and merged into them in one set-based step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.violations import Issue
from school_portal.models import Roster, RosterIssue, RosterRow, School, Student, Wish, dialect
from school_portal.models.people import StudentColumns, WishColumns
from school_portal.security.vault import Vault
from school_portal.services.comparing import COMPARED, KEPT_WHEN_EMPTY, Compared, Comparison
from school_portal.services.portal import Portal

STUDENT_COLUMNS = tuple(StudentColumns.__annotations__)
WISH_COLUMNS = tuple(WishColumns.__annotations__)
STAGED_COLUMNS = (
    "roster_id",
    "row",
    "specialty_id",
    "outcome",
    "student_id",
    *STUDENT_COLUMNS,
    *WISH_COLUMNS,
)
CHUNK_SIZE = 2000  # staged rows compared at once
MANY_ROWS = 1000  # from so many on a bad plan is felt
ISSUE_COLUMNS = ("roster_id", "row", "column", "severity", "code", "message")


def students_version(session: Session, school_id: int) -> int:
    """How often the school's students have changed."""
    return session.scalars(sa.select(School.students_version).where(School.id == school_id)).one()


def clear(session: Session, roster: Roster) -> None:
    """Take away what an earlier check staged."""
    session.execute(sa.delete(RosterRow).where(RosterRow.roster_id == roster.id))
    session.execute(sa.delete(RosterIssue).where(RosterIssue.roster_id == roster.id))


def stage_rows(
    session: Session, vault: Vault, roster_id: int, compared: Sequence[Compared]
) -> None:
    """Stage rows, sealed as they will be kept: the key is the person's index, not the row's."""
    keys = [found.document_index for found in compared]
    documents = (found.row.document_number for found in compared)
    mobiles = (found.row.mobile for found in compared)
    sealed_documents = vault.seal_many("students", "document", zip(keys, documents, strict=True))
    sealed_mobiles = vault.seal_many("students", "mobile", zip(keys, mobiles, strict=True))

    def staged(found: Compared, document: bytes, mobile: bytes) -> tuple[dialect.Value, ...]:
        row, wish = found.row, found.row.wish
        return (
            roster_id,
            row.row,
            found.specialty_id,
            found.outcome,
            found.student_id,
            row.student_no,
            row.name,
            row.document_type.value,
            found.document_index,
            document,
            row.sex.value if row.sex else None,
            row.birth_date.isoformat() if row.birth_date else None,
            row.ethnicity,
            found.mobile_index,
            mobile,
            row.training_level.value,
            row.class_name,
            row.entered_on,
            row.graduates_on.isoformat(),
            row.enrolment_status.value,
            row.study_mode.value,
            wish.route.value,
            wish.code,
            wish.occupation,
            wish.direction,
            None if wish.level is None else int(wish.level),
            wish.body or "",
        )

    rows = map(staged, compared, sealed_documents, sealed_mobiles)
    dialect.bulk_insert(session, RosterRow.__table__, STAGED_COLUMNS, rows)


def stage_issues(session: Session, roster_id: int, issues: Sequence[Issue]) -> None:
    """Keep a chunk's findings."""
    dialect.bulk_insert(
        session,
        RosterIssue.__table__,
        ISSUE_COLUMNS,
        ((roster_id, i.row, i.column, i.severity, i.code, i.message) for i in issues),
    )


def count_outcomes(session: Session, roster: Roster) -> None:
    """Write on the roster what saving it would create, update and leave."""
    counted = session.execute(
        sa.select(RosterRow.outcome, sa.func.count())
        .where(RosterRow.roster_id == roster.id)
        .group_by(RosterRow.outcome)
    )
    counts = dict(counted.all())
    roster.created = counts.get("create", 0)
    roster.updated = counts.get("update", 0)
    roster.unchanged = counts.get("unchanged", 0)


def compare_again(session: Session, portal: Portal, roster: Roster) -> int:
    """Hold the staged rows against the students as they are now; the school is locked before.

    Rows that may be taken no longer leave the stage, and their findings are kept. How many are
    not there any more of those that were accepted; the roster's counts are right afterwards.
    """
    comparison = Comparison(session, portal, roster.school_id)
    refused = 0
    for rows in _staged(session, roster.id):
        taken: list[dict[str, Any]] = []
        left: list[int] = []
        issues: list[Issue] = []
        for row, (outcome, student_id, found) in zip(
            rows, comparison.compare_staged(rows), strict=True
        ):
            if found:
                left.append(row.id)
                issues += found
            elif (outcome, student_id) != (row.outcome, row.student_id):
                taken.append({"of_id": row.id, "new_outcome": outcome, "new_student": student_id})
        _restage(session, taken)
        session.execute(sa.delete(RosterRow).where(RosterRow.id.in_(left)))
        stage_issues(session, roster.id, issues)
        refused += len(left)
    roster.students_version = students_version(session, roster.school_id)
    accepted = roster.accepted
    count_outcomes(session, roster)
    roster.accepted = roster.created + roster.updated + roster.unchanged
    roster.rejected += refused
    return accepted - roster.accepted


def _staged(session: Session, roster_id: int) -> Iterator[Sequence[Any]]:
    columns = (RosterRow.id, RosterRow.row, RosterRow.document_index, RosterRow.outcome)
    query = (
        sa.select(*columns, RosterRow.student_id, *(getattr(RosterRow, name) for name in COMPARED))
        .where(RosterRow.roster_id == roster_id)
        .order_by(RosterRow.row)
        .limit(CHUNK_SIZE)
    )
    last = 0
    while rows := session.execute(query.where(RosterRow.row > last)).all():
        yield rows
        last = rows[-1].row


def _restage(session: Session, taken: list[dict[str, Any]]) -> None:
    if not taken:
        return
    table = RosterRow.__table__
    session.execute(
        sa.update(table)
        .where(table.c.id == sa.bindparam("of_id"))
        .values(outcome=sa.bindparam("new_outcome"), student_id=sa.bindparam("new_student")),
        taken,
    )


def merge(session: Session, roster: Roster, now: datetime) -> None:
    """Save the staged rows: students created and updated, wishes added; all or nothing.

    The school is locked before. Raises IntegrityError where another school enrolled one of the
    persons since the check, and RuntimeError where others would be saved than were accepted.
    """
    created = _create(session, roster, now)
    if roster.created + roster.updated >= MANY_ROWS:
        dialect.take_statistics(session, RosterRow.__table__, Student.__table__)
    updated = _update(session, roster, now)
    wished = _wish(session, roster)
    if (created, updated, wished) != (roster.created, roster.updated, roster.accepted):
        raise RuntimeError("what was staged is not what was accepted")
    session.execute(sa.delete(RosterRow).where(RosterRow.roster_id == roster.id))
    if roster.created or roster.updated:
        session.execute(
            sa.update(School)
            .where(School.id == roster.school_id)
            .values(students_version=School.students_version + 1)
        )


def _create(session: Session, roster: Roster, now: datetime) -> int:
    columns = ("specialty_id", *STUDENT_COLUMNS)
    constants: dict[str, Any] = {
        "school_id": roster.school_id,
        "created_at": now,
        "updated_at": now,
    }
    return _rows_of(
        session,
        sa.insert(Student).from_select(
            [*columns, *constants],
            sa.select(
                *(getattr(RosterRow, name) for name in columns),
                *(
                    sa.literal(value, getattr(Student, name).type)
                    for name, value in constants.items()
                ),
            )
            .where(RosterRow.roster_id == roster.id, RosterRow.outcome == "create")
            .order_by(RosterRow.row),
            include_defaults=False,
        ),
    )


def _update(session: Session, roster: Roster, now: datetime) -> int:
    def value(name: str) -> Any:
        staged = getattr(RosterRow, name)
        if name not in KEPT_WHEN_EMPTY:
            return staged
        given = staged if name in ("sex", "birth_date") else sa.func.nullif(staged, "")
        return sa.func.coalesce(given, getattr(Student, name))

    return _rows_of(
        session,
        sa.update(Student)
        .where(
            RosterRow.roster_id == roster.id,
            RosterRow.outcome == "update",
            Student.id == RosterRow.student_id,
        )
        .values({name: value(name) for name in ("specialty_id", *STUDENT_COLUMNS)})
        .values(updated_at=now)
        .execution_options(synchronize_session=False),
    )


def _wish(session: Session, roster: Roster) -> int:
    return _rows_of(
        session,
        sa.insert(Wish).from_select(
            ["roster_id", "student_id", *WISH_COLUMNS],
            sa.select(
                RosterRow.roster_id,
                Student.id,
                *(getattr(RosterRow, name) for name in WISH_COLUMNS),
            )
            .join(
                Student,
                sa.and_(
                    Student.school_id == roster.school_id,
                    Student.document_index == RosterRow.document_index,
                ),
            )
            .where(RosterRow.roster_id == roster.id)
            .order_by(RosterRow.row),
            include_defaults=False,
        ),
    )


def _rows_of(session: Session, statement: sa.Insert | sa.Update) -> int:
    """Executes it; how many rows it wrote."""
    counted = statement.execution_options(preserve_rowcount=True)
    written: int = session.execute(counted).rowcount  # type: ignore[attr-defined]
    return written
