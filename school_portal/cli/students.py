"""`school-portal students`: a school's saved students."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from school_portal.cli import console
from school_portal.domain.roster import Enrolment
from school_portal.extensions import db
from school_portal.models import dialect
from school_portal.services import students as service
from school_portal.services.portal import current_portal

students = click.Group("students", help="已保存的学生。")


@students.command("list")
@console.of_school()
@click.option("--query", default="", metavar="Q", help="姓名、学号的一部分，或完整的证件号码")
@console.in_format()
@console.in_portal()
def list_(uscc: str, query: str, form: str) -> None:
    """列出这所学校已保存的学生，按学号排列。"""
    session = db.session()
    dialect.read_only(session)
    school = console.find_school(session, uscc)
    document = service.document(session, current_portal().vault, school, query)
    console.answer(document, form, _lines(document))


def _lines(document: dict[str, Any]) -> Iterator[str]:
    for one in document["students"]:
        status = Enrolment(one["enrolment_status"]).label
        yield (
            f"{one['student_no']}  {one['name']}  {one['class'] or '—'}  {one['specialty']}  "
            f"{status}  {one['graduation']} 毕业"
        )
    if not document["students"]:
        yield "没有这样的学生。名册可用 school-portal roster import 导入。"
