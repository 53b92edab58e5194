"""Rows of a roster held against what is saved: who is new, who changed, who may not be taken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from importers.roster import RejectedRow
from school_portal.domain.identifiers import person_key
from school_portal.domain.labels import fold
from school_portal.domain.roster import RosterRow
from school_portal.domain.violations import Issue, issue
from school_portal.models import Specialty, Student, dialect
from school_portal.models.people import HELD_BY_ONE_SCHOOL
from school_portal.services.portal import Portal

# What a row may change; an empty optional cell keeps what is saved.
COMPARED = (
    "student_no",
    "name",
    "document_type",
    "sex",
    "birth_date",
    "ethnicity",
    "mobile_index",
    "training_level",
    "class_name",
    "entered_on",
    "graduates_on",
    "enrolment_status",
    "study_mode",
    "specialty_id",
)
KEPT_WHEN_EMPTY = frozenset({"sex", "birth_date", "ethnicity", "class_name", "entered_on"})


@dataclass(frozen=True, slots=True)
class Compared:
    """A row, its keyed hashes, and what saving it would do to which student."""

    row: RosterRow
    document_index: bytes
    mobile_index: bytes
    specialty_id: int
    outcome: str  # create, update, unchanged
    student_id: int | None


class Comparison:
    """Compares one school's rows, a chunk at a time, in a few queries a chunk."""

    def __init__(self, session: Session, portal: Portal, school_id: int) -> None:
        self.session = session
        self.school_id = school_id
        self.portal = portal
        # A school's first roster has nothing to be compared with; who comes meanwhile raises the
        # school's version, and the roster is compared again.
        self.has_students = session.scalar(
            sa.select(sa.exists().where(Student.school_id == school_id))
        )
        self.specialties = {
            (specialty.code, specialty.training_level): specialty.id
            for specialty in session.scalars(
                sa.select(Specialty).where(Specialty.school_id == school_id)
            )
        }

    def compare(self, rows: Sequence[RosterRow]) -> tuple[list[Compared], list[Issue]]:
        """The rows that may be taken, and an issue for each that may not (contract, `row.*`)."""
        vault = self.portal.vault
        persons = vault.index_many(
            "person", (person_key(row.document_type, row.document_number) for row in rows)
        )
        mobiles = vault.index_many("mobile", (row.mobile for row in rows))
        saved = self._saved(persons)
        numbers = self._number_holders([row.student_no for row in rows])
        elsewhere = self._held_elsewhere(persons)
        compared: list[Compared] = []
        issues: list[Issue] = []
        for row, person, mobile in zip(rows, persons, mobiles, strict=True):
            found = self._refusals(row.row, row.student_no, person, numbers, elsewhere)
            if found:
                issues.extend(found)
            else:
                compared.append(self._compared(row, person, mobile, saved.get(person)))
        return compared, issues

    def refusals(self, rejected: Sequence[RejectedRow]) -> list[Issue]:
        """What else refuses rows with errors, where the person is known: all is said at once."""
        known = [(row.row, fold(row.student_no), row.person) for row in rejected if row.person]
        persons = self.portal.vault.index_many("person", (key for _, _, key in known))
        numbers = self._number_holders([number for _, number, _ in known])
        elsewhere = self._held_elsewhere(persons)
        return [
            found
            for (row, number, _), person in zip(known, persons, strict=True)
            for found in self._refusals(row, number, person, numbers, elsewhere)
        ]

    def compare_staged(
        self, staged: Sequence[Any]
    ) -> Iterator[tuple[str, int | None, list[Issue]]]:
        """Of each staged row: what saving it would do now, to which student, and what refuses it.

        A row has the columns COMPARED, its `document_index` and its `row`.
        """
        persons = [row.document_index for row in staged]
        saved = self._saved(persons)
        numbers = self._number_holders([row.student_no for row in staged])
        elsewhere = self._held_elsewhere(persons)
        for row, person in zip(staged, persons, strict=True):
            student = saved.get(person)
            outcome = _outcome(student, partial(getattr, row))
            refused = self._refusals(row.row, row.student_no, person, numbers, elsewhere)
            yield outcome, student.id if student else None, refused

    def _refusals(
        self,
        row: int,
        student_no: str,
        person: bytes,
        numbers: dict[str, bytes],
        elsewhere: set[bytes],
    ) -> list[Issue]:
        found = []
        if numbers.get(student_no, person) != person:
            found.append(issue("row.number-taken", row, "学号", value=student_no))
        if person in elsewhere:
            found.append(issue("row.other-school", row, "证件号码"))
        return found

    def _compared(self, row: RosterRow, person: bytes, mobile: bytes, student: Any) -> Compared:
        specialty_id = self.specialties[row.specialty_code, row.training_level]
        values = {"mobile_index": mobile, "specialty_id": specialty_id}

        def value_of(name: str) -> Any:
            return values[name] if name in values else getattr(row, name)

        student_id = student.id if student else None
        return Compared(row, person, mobile, specialty_id, _outcome(student, value_of), student_id)

    def _saved(self, persons: Iterable[bytes]) -> dict[bytes, Any]:
        if not self.has_students:
            return {}
        columns = [Student.id, Student.document_index, *(getattr(Student, c) for c in COMPARED)]
        found = self.session.execute(
            sa.select(*columns).where(
                Student.school_id == self.school_id,
                dialect.among(self.session, Student.document_index, persons),
            )
        )
        return {student.document_index: student for student in found}

    def _number_holders(self, numbers: Iterable[str]) -> dict[str, bytes]:
        if not self.has_students:
            return {}
        found = self.session.execute(
            sa.select(Student.student_no, Student.document_index).where(
                Student.school_id == self.school_id,
                dialect.among(self.session, Student.student_no, numbers),
            )
        )
        return dict(found.all())

    def _held_elsewhere(self, persons: Sequence[bytes]) -> set[bytes]:
        if not persons:
            return set()
        # In the index's own words: with bound values it would not be used.
        found = self.session.scalars(
            sa.select(Student.document_index).where(
                dialect.among(self.session, Student.document_index, persons),
                HELD_BY_ONE_SCHOOL,
                Student.school_id != self.school_id,
            )
        )
        return set(found)


def _outcome(student: Any, value_of: Callable[[str], Any]) -> str:
    """What saving a row's values would do to the student, who may not be there yet."""
    if student is None:
        return "create"
    changed = any(
        value != getattr(student, name)
        for name in COMPARED
        for value in (value_of(name),)
        if value or name not in KEPT_WHEN_EMPTY
    )
    return "update" if changed else "unchanged"
