"""The whole numbers of an application for an account, for the centre."""

from __future__ import annotations

from typing import Any

from flask import url_for

from school_portal.blueprints import reveal
from school_portal.blueprints.centre.blueprint import blueprint
from school_portal.blueprints.identity import actor, audience
from school_portal.blueprints.limits import NUMBERS
from school_portal.extensions import db
from school_portal.models import AccountOpening, Role
from school_portal.services import access, disclosure, opening_list
from school_portal.services.portal import current_portal


def _shown(opening_id: int, column: str) -> tuple[AccountOpening, dict[str, Any]]:
    """The application that was handed in, and what the page says. Raises NotFound."""
    opening = opening_list.handed_in(db.session(), opening_id)
    if column not in disclosure.OPENING_NUMBERS:
        raise access.NotFound("AccountOpening")
    return opening, {
        "action": url_for("centre.reveal_number", opening_id=opening_id, column=column),
        "name": f"{opening.operator}（{opening.school.name}）",
        "what": disclosure.OPENING_NUMBERS[column],
        "back": url_for("centre.opening", opening_id=opening_id),
    }


@blueprint.get("/openings/<int:opening_id>/numbers/<column>")
@audience(Role.CENTRE)
def why_reveal(opening_id: int, column: str) -> str:
    return reveal.ask(**_shown(opening_id, column)[1])


@blueprint.post("/openings/<int:opening_id>/numbers/<column>")
@audience(Role.CENTRE)
@NUMBERS
def reveal_number(opening_id: int, column: str) -> str | tuple[str, int]:
    opening, shown = _shown(opening_id, column)
    return reveal.answer(
        **shown,
        read=lambda why: disclosure.of_opening(
            db.session(), current_portal(), actor(), opening, column, why
        ),
    )
