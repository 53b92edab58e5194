"""`school-portal applications`: group applications planned, generated, listed, exported."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from sqlalchemy.orm import Session

from school_portal.cli import console
from school_portal.cli.failures import Failed
from school_portal.domain.group_application import ApplicationState
from school_portal.domain.levels import Level
from school_portal.domain.roster import Route
from school_portal.extensions import db
from school_portal.models import GroupApplication, Roster, School, dialect
from school_portal.services import applications as service
from school_portal.services.access import Actor
from school_portal.services.portal import current_portal

if TYPE_CHECKING:
    from school_portal.cli.waiting import Waiter

# Waiting asks for Redis and workbooks for openpyxl: what few commands need, they import.
applications = click.Group("applications", help="团体申报：预览、生成、列表、导出。")


def _of_roster() -> Any:
    return click.option(
        "--roster", "roster_id", type=int, metavar="ID", help="只取这份名册的学生，缺省为全校"
    )


@applications.command("plan")
@console.of_school()
@_of_roster()
@console.on_day()
@console.in_format()
@console.in_portal()
def plan(uscc: str, roster_id: int | None, on: date, form: str) -> None:
    """预览将生成哪些团体申报，以及其他学生各因何不在其中；不写入任何数据。"""
    session = db.session()
    dialect.read_only(session)
    school = _school_with(session, uscc, roster_id)
    document = service.plan_document(session, current_portal(), school, on, roster_id)
    console.answer(document, form, plan_lines(document, "将生成"))


@applications.command("generate")
@console.of_school()
@_of_roster()
@console.on_day()
@console.in_format()
@console.in_portal()
def generate(uscc: str, roster_id: int | None, on: date, form: str) -> None:
    """由任务进程生成预览中的团体申报，存为草稿。"""
    from school_portal.cli.waiting import worker_at_hand  # noqa: PLC0415

    session = db.session()
    school = _school_with(session, uscc, roster_id)
    with worker_at_hand() as waiter:
        document = generated(session, waiter, school, on, roster_id)
    console.answer(document, form, plan_lines(document, "已生成"))


def generated(
    session: Session, waiter: Waiter, school: School, on: date, roster_id: int | None = None
) -> dict[str, Any]:
    """The document of what a worker generated. Raises Failed."""
    actor = Actor.operator_at_the_console(school.id)
    portal = current_portal()
    job_id = service.request_generation(session, portal, actor, school, on, roster_id).id
    session.commit()
    result = waiter.result(job_id, "生成团体申报")
    if result is None:
        raise Failed(f"后台任务 {job_id} 没有完成，未生成团体申报，请重新执行。")
    return result


def _school_with(session: Session, uscc: str, roster_id: int | None) -> School:
    """The school; a roster that is named must be its own. Raises Failed."""
    school = console.find_school(session, uscc)
    if roster_id is not None:
        roster = session.get(Roster, roster_id)
        if roster is None or roster.school_id != school.id:
            raise Failed(f"这所学校没有编号为 {roster_id} 的名册，请核对编号。")
    return school


@applications.command("list")
@console.of_school()
@console.in_format()
@console.in_portal()
def list_(uscc: str, form: str) -> None:
    """列出这所学校的团体申报。"""
    session = db.session()
    dialect.read_only(session)
    document = service.listing(session, console.find_school(session, uscc))
    console.answer(document, form, _list_lines(document))


@applications.command("export")
@click.argument("number", type=int, metavar="ID")
@click.argument("file", type=console.OUTPUT)
@console.in_format()
@console.in_portal()
def export(number: int, file: Path, form: str) -> None:
    """把一份团体申报写成交给评价机构的工作簿。"""
    from school_portal.services import exporting  # noqa: PLC0415

    session = db.session()
    application = session.get(GroupApplication, number)
    if application is None:
        raise Failed(f"没有编号为 {number} 的团体申报，请核对编号。")
    actor = Actor.operator_at_the_console(application.school_id)
    content = exporting.export(session, current_portal().vault, actor, application)
    session.commit()  # the reading of whole document numbers is on record before it happens
    console.write_file(file, content, form)


def plan_lines(document: dict[str, Any], verb: str, most: int | None = None) -> Iterator[str]:
    """The document for people; with `most`, so many of each list, and how many more there are."""
    groups, excluded, held = (document[key] for key in ("applications", "excluded", "held"))
    students = sum(len(group["students"]) for group in groups)
    yield f"{document['on']}：{verb} {len(groups)} 份团体申报，共 {students} 名学生"
    for group in groups[:most]:
        yield f"  {_described(group)}：{len(group['students'])} 人"
        left = "".join(console.left_out(group["students"], most, "名", "，"))
        yield f"    学号：{'、'.join(group['students'][:most])}{left}"
    yield from console.left_out(groups, most, "份", "  ")
    if held:
        yield f"已在申报中：{len(held)} 名学生"
    if excluded:
        yield f"未列入：{len(excluded)} 名学生"
    for student in excluded[:most]:
        yield f"  学号 {student['student_no']}"
        for reason in student["reasons"]:
            yield f"    {reason['message']}（{reason['clause']}）"
    yield from console.left_out(excluded, most, "名", "  ")


def _list_lines(document: dict[str, Any]) -> Iterator[str]:
    for one in document["applications"]:
        state = ApplicationState(one["state"]).label
        yield f"{one['id']}  {one['number']}  {state}  {_described(one)}  {len(one['students'])} 人"
    if not document["applications"]:
        yield "还没有团体申报。可用 school-portal applications plan 预览。"


def _described(group: dict[str, Any]) -> str:
    direction = f"（{group['direction']}）" if group["direction"] else ""
    level = Level(group["level"]).label
    body = group["body_name"] or "市职业技能鉴定中心"
    return f"{group['occupation']}{direction} {level}，{Route(group['route']).label}，{body}"
