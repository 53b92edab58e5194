"""Rosters."""

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
    school_option,
    with_school,
)
from school_portal.models import Roster, School
from school_portal.services import reviewing, rosters
from school_portal.services.access import Actor, school_of
from school_portal.services.portal import Portal
from school_portal.storage import TooLarge

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
OUTPUT = click.Path(dir_okay=False, path_type=Path)
sheet_option = click.option("--sheet", help="读取哪一张工作表")


@click.group(help="名册：模板、检查、导入、错误表。")
def roster() -> None:
    """The group."""


@roster.command(help="生成名册模板；给出学校时带该校专业的下拉列表。")
@click.argument("file", type=OUTPUT)
@click.option("--school", "uscc", help="学校的统一社会信用代码")
def template(file: Path, uscc: str | None) -> None:
    """Write the workbook."""
    with portal(read_only=True) as (session, surroundings):
        school = school_of(session, uscc) if uscc else None
        file.write_bytes(reviewing.template(session, school, surroundings.today()))
    click.echo(f"已生成 {file}。", err=True)


@roster.command(help="读取并检查名册，不写入任何数据。")
@click.argument("file", type=FILE)
@school_option
@sheet_option
@on_option
@format_option
@with_school(read_only=True)
def check(
    session: Session,
    surroundings: Portal,
    school: School,
    *,
    file: Path,
    sheet: str | None,
    on: date | None,
    form: str,
) -> int:
    """The contract's document of `roster check`."""
    with file.open("rb") as source:
        document = rosters.check_document(
            session,
            surroundings,
            school.id,
            source,
            file.name,
            sheet=sheet,
            today=on or surroundings.today(),
        )
    answer(document, form, _text)
    return _status(document)


@roster.command("import", help="检查名册并保存；有未通过的行时，除非 --accept-valid，什么都不保存。")
@click.argument("file", type=FILE)
@school_option
@sheet_option
@click.option("--accept-valid", is_flag=True, help="只保存通过检查的行")
@format_option
@with_school(read_only=False)
def import_(
    session: Session,
    surroundings: Portal,
    school: School,
    *,
    file: Path,
    sheet: str | None,
    accept_valid: bool,
    form: str,
) -> int:
    """The contract's document of `roster import`."""
    actor = Actor.operator_at_the_console(school.id)
    with file.open("rb") as source:
        try:
            found = rosters.upload(
                session, surroundings, actor, school.id, source, file.name, sheet=sheet
            )
        except TooLarge as error:
            raise click.ClickException(f"{error}，请删去无关内容或分成几个文件。") from None
    document = _through_worker(session, surroundings, actor, found, accept_valid)
    answer(document, form, _import_text)
    return _status(document)


def _through_worker(
    session: Session, surroundings: Portal, actor: Actor, found: Roster, accept_valid: bool
) -> dict[str, Any]:
    """Check, then save what the school accepts, each by a worker."""
    from school_portal.cli.waiting import finish  # noqa: PLC0415

    job = rosters.active_job(session, found)
    session.commit()
    if job is not None:
        finish(session, surroundings, job.id)
    session.refresh(found)
    if rosters.may_confirm(found, accept_valid=accept_valid):
        saving = rosters.confirm(session, surroundings, actor, found, accept_valid=accept_valid)
        session.commit()
        finish(session, surroundings, saving.id)
    session.refresh(found)
    return rosters.document(session, found)


@roster.command(help="把上传的名册连同错误标注取回：错误单元格标红并加批注。")
@click.argument("roster_id", metavar="ROSTER", type=int)
@click.argument("file", type=OUTPUT)
def errors(roster_id: int, file: Path) -> None:
    """Write the workbook."""
    with portal(read_only=True) as (session, surroundings):
        found = session.get(Roster, roster_id)
        if found is None:
            raise click.ClickException("没有这份名册，请核对编号。")
        file.write_bytes(reviewing.error_workbook(session, surroundings, found))
    click.echo(f"已生成 {file}。", err=True)


def _status(document: dict[str, Any]) -> int:
    refused = any(one["severity"] == "error" for one in document["issues"])
    return 1 if refused else 0


def _text(document: dict[str, Any]) -> str:
    lines = [found["message"] for found in document["issues"]]
    counts = f"共 {document['file']['rows']} 行，通过 {document['accepted']} 行，"
    return "\n".join([*lines, f"{counts}未通过 {document['rejected']} 行。"])


def _import_text(document: dict[str, Any]) -> str:
    saved = document["created"] + document["updated"] + document["unchanged"]
    outcome = (
        f"新增 {document['created']} 人，更新 {document['updated']} 人，"
        f"未变 {document['unchanged']} 人。"
        if saved or not _status(document)
        else "未保存任何学生，请改正后重新导入，或加 --accept-valid 只保存通过的行。"
    )
    return f"{_text(document)}\n名册编号 {document['roster']}。{outcome}"
