"""The hashes on receipts: SHA-256 (hex) over a paper's content as canonical JSON.

Sealed mobiles and documents are left out, and the keyID stands by its keyed hash: whoever holds a
receipt cannot guess them from it.
"""

from __future__ import annotations

from typing import Any

from school_portal.models import AccountOpening, Permission, PermissionRequest
from school_portal.models.organisations import ProjectColumns
from school_portal.security.canonical import digest
from school_portal.services.opening_check import NAMES


def of_opening(opening: AccountOpening) -> str:
    """The hash of annex 2 as it was handed in."""
    return opening.receipt_digest or made_of(opening)


def made_of(opening: AccountOpening) -> str:
    """As `of_opening`, of what stands there now: one handed in before it was kept has the same."""
    return digest(
        {
            **{name: str(getattr(opening, name)) for name in NAMES},
            "number": opening.number,
            "kind": opening.kind.value,
            "school": opening.school.uscc,
            "key_id": opening.key_id_index.hex() if opening.key_id_index else None,
            "dual_certificate": opening.dual_certificate,
            "lines": [_project(line) for line in opening.lines],
        }
    )


def of_permissions(request: PermissionRequest) -> str:
    """The hash of what was asked for together."""
    return digest(
        {
            "number": request.number,
            "school": request.school.uscc,
            "lines": [_permission(line) for line in request.lines],
        }
    )


def _permission(line: Permission) -> list[Any]:
    return [line.route.value, line.node.value if line.node else None, *_project(line)]


def _project(line: ProjectColumns) -> list[Any]:
    return [line.occupation_code, line.occupation, line.direction, line.level]
