"""Group applications."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from school_portal.cli.context import (
    answer,
    format_option,
    on_option,
    portal,
    roster_option,
    school_option,
    with_school,
)
from school_portal.domain.levels import Level
from school_portal.models import GroupApplication, School
from school_portal.services import applications as service
from school_portal.services.access import Actor
from school_portal.services.exporting import export as workbook
from school_portal.services.portal import Portal


@click.group(help="团体申报：计划、生成、列表、导出。")
def applications() -> None:
    """The group."""


@applications.command(help="将会生成哪些团体申报，其余学生为何不在其中；不写入。")
@school_option
@roster_option
@on_option
@format_option
@with_school(read_only=True)
def plan(
    session: Session,
    surroundings: Portal,
    school: School,
    *,
    roster_id: int | None,
    on: date | None,
    form: str,
) -> None:
    """The contract's document of `applications plan`."""
    day = on or surroundings.today()
    answer(service.plan_document(session, surroundings, school, day, roster_id), form, _text)


@applications.command(help="按计划生成团体申报草稿。")
@school_option
@roster_option
@on_option
@format_option
@with_school(read_only=False)
def generate(
    session: Session,
    surroundings: Portal,
    school: School,
    *,
    roster_id: int | None,
    on: date | None,
    form: str,
) -> None:
    """The contract's document of `applications generate`."""
    from school_portal.cli.waiting import finish  # noqa: PLC0415

    job = service.request_generation(
        session,
        surroundings,
        Actor.operator_at_the_console(school.id),
        school,
        on or surroundings.today(),
        roster_id,
    )
    session.commit()
    answer(finish(session, surroundings, job.id).result or {}, form, _text)


@applications.command("list", help="已有的团体申报。")
@school_option
@format_option
@with_school(read_only=True)
def list_(session: Session, surroundings: Portal, school: School, *, form: str) -> None:
    """The contract's document of `applications list`."""
    answer(service.listing(session, school), form, _text)


@applications.command(help="把一份团体申报导出为交给评价机构的工作簿。")
@click.argument("application_id", metavar="ID", type=int)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export(application_id: int, file: Path) -> None:
    """Write the workbook; the reading of whole numbers is on record."""
    with portal() as (session, surroundings):
        found = session.get(GroupApplication, application_id)
        if found is None:
            raise click.ClickException("没有这份团体申报，请核对编号。")
        actor = Actor.operator_at_the_console(found.school_id)
        content = workbook(session, surroundings.vault, actor, found)
        session.commit()
    file.write_bytes(content)
    click.echo(f"已生成 {file}。", err=True)


def _text(document: dict[str, Any]) -> str:
    lines = [_line(one) for one in document["applications"]]
    students = sum(len(one["students"]) for one in document["applications"])
    lines.append(f"团体申报 {len(document['applications'])} 份，学生 {students} 人。")
    for one in document.get("excluded", ()):
        reasons = "".join(
            f"\n    {r['code']}（{r['clause']}）{r['message']}" for r in one["reasons"]
        )
        lines.append(f"未列入 {one['student_no']}：{reasons}")
    if held := document.get("held"):
        lines.append(f"已在团体申报中的学生 {len(held)} 人。")
    if "created" in document:
        lines.append(f"已生成 {len(document['created'])} 份草稿。")
    return "\n".join(lines)


def _line(one: dict[str, Any]) -> str:
    direction = f"（{one['direction']}）" if one["direction"] else ""
    number = f"{one['number']} " if "number" in one else ""
    body = one["body_name"] or "市职业技能鉴定中心"
    level = Level(one["level"]).label
    return f"{number}{body} {one['occupation']}{direction} {level}：{len(one['students'])} 人"
