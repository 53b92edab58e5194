"""A student's whole document number, for the own school."""

from __future__ import annotations

from typing import Any

from flask import url_for

from school_portal.blueprints import reveal
from school_portal.blueprints.identity import actor, audience
from school_portal.blueprints.limits import NUMBERS
from school_portal.blueprints.school.blueprint import blueprint
from school_portal.extensions import db
from school_portal.models import Role, Student
from school_portal.services import access, disclosure
from school_portal.services.portal import current_portal


def _shown(student_id: int) -> tuple[Student, dict[str, Any]]:
    """The school's own student, and what the page says. Raises NotFound."""
    student = access.own(db.session(), actor(), Student, student_id)
    return student, {
        "action": url_for("school.reveal_number", student_id=student_id),
        "name": f"{student.name}（学号 {student.student_no}）",
        "what": "证件号码",
        "back": url_for("school.applications"),
    }


@blueprint.get("/students/<int:student_id>/number")
@audience(Role.SCHOOL)
def why_reveal(student_id: int) -> str:
    return reveal.ask(**_shown(student_id)[1])


@blueprint.post("/students/<int:student_id>/number")
@audience(Role.SCHOOL)
@NUMBERS
def reveal_number(student_id: int) -> str | tuple[str, int]:
    student, shown = _shown(student_id)
    return reveal.answer(
        **shown,
        read=lambda why: disclosure.of_student(
            db.session(), current_portal(), actor(), student, why
        ),
    )
