"""What is signed of each kind of paper, as docs/receipts.md says.

A document, a mobile, a keyID stands by a hash keyed for this paper: nobody who lacks the portal's
key can try numbers against it, nor join two receipts by it.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.account import OpeningKind
from school_portal.domain.facts import Node
from school_portal.domain.group_application import MemberState
from school_portal.domain.projects import Project
from school_portal.domain.roster import Route
from school_portal.models import (
    AccountOpening,
    ApplicationMember,
    GroupApplication,
    School,
    SpecialtyEvaluation,
)
from school_portal.models import Student as SavedStudent
from school_portal.security.vault import Vault
from school_portal.services import evaluations, opening_check
from school_portal.services.signed_papers import Content

VERSION = 1  # of the contents (docs/receipts.md)


def _begun(kind: str, uid: str, school: School) -> Content:
    return {
        "version": VERSION,
        "kind": kind,
        "uid": uid,
        "school": {"uscc": school.uscc, "name": school.name},
    }


def _hidden(vault: Vault, uid: str, text: str) -> str:
    return vault.index("receipt", f"{uid}:{text}").hex() if text else ""


def of_application(session: Session, vault: Vault, application: GroupApplication) -> Content:
    """A group application with its students."""
    body = application.body
    return {
        **_begun("group-application", application.uid, application.school),
        "number": application.number,
        "revision": application.version,
        "body": {"uscc": body.uscc, "name": body.name} if body else None,
        "route": application.route.value,
        "project": application.project.columns(),
        "students": [
            {
                "student_no": student_no,
                "name": name,
                "document": _hidden(vault, application.uid, person.hex()),
            }
            for student_no, name, person in _included(session, application)
        ],
    }


def _included(session: Session, application: GroupApplication) -> list[tuple[str, str, bytes]]:
    """Number, name and document's hash of the students whom the application holds, by number."""
    found = session.execute(
        sa.select(
            SavedStudent.student_no,
            SavedStudent.name,
            SavedStudent.document_index,
        )
        .join(ApplicationMember, ApplicationMember.student_id == SavedStudent.id)
        .where(
            ApplicationMember.application_id == application.id,
            ApplicationMember.state == MemberState.INCLUDED,
        )
    )
    # Sorted here: databases differ in how they collate.
    return sorted((number, name, person) for number, name, person in found)


def of_evaluation(vault: Vault, evaluation: SpecialtyEvaluation) -> Content:
    """Annex 1 with its lines and the documents' hashes; the number is given only afterwards."""
    fields = evaluations.fields(vault, evaluation)
    for name in evaluations.SEALED_FIELDS:
        fields[name] = _hidden(vault, evaluation.uid, fields[name])
    return {
        **_begun("specialty-evaluation", evaluation.uid, evaluation.school),
        "revision": evaluation.version,
        "training_level": evaluation.training_level.value,
        "fields": fields,
        "lines": [
            {
                "specialty_code": line.specialty.code,
                "specialty": line.specialty.name,
                **line.project.columns(),
            }
            for line in evaluation.lines
        ],
        "programmes": [
            {
                "specialty_code": programme.specialty.code,
                "file_name": programme.file_name,
                "size": programme.size,
                "sha256": programme.sha256,
            }
            for programme in evaluation.programmes
        ],
    }


def of_opening(vault: Vault, opening: AccountOpening, kind: OpeningKind) -> Content:
    """Annex 2, as it is to be handed in; the number is given only afterwards."""
    given = opening_check.personal(vault, opening)
    personal = {name: getattr(given, name) for name in opening_check.Personal.__slots__}
    return {
        **_begun("account-opening", opening.uid, opening.school),
        "revision": opening.version,
        "request": kind.value,
        "fields": {
            **{name: str(getattr(opening, name)) for name in opening_check.NAMES},
            **{name: _hidden(vault, opening.uid, text) for name, text in personal.items()},
        },
        "dual_certificate": opening.dual_certificate,
        "lines": [line.project.columns() for line in opening.lines],
    }


def of_permissions(school: School, uid: str, node: Node, projects: Sequence[Project]) -> Content:
    """What is asked for together; made once, it has no revision."""
    return {
        **_begun("permission-request", uid, school),
        "route": Route.SKILL_LEVEL.value,
        "node": node.value,
        "lines": [project.columns() for project in projects],
    }
