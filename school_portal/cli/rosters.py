"""`school-portal roster`: a roster checked, imported, and its mistakes marked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from sqlalchemy.orm import Session

from school_portal.cli import console
from school_portal.cli.failures import Failed
from school_portal.extensions import db
from school_portal.jobs import JobState
from school_portal.models import Job, Roster, School, dialect
from school_portal.services import checking, rosters
from school_portal.services.access import Actor
from school_portal.services.portal import current_portal
from school_portal.services.progress import cause_of, latest_job
from school_portal.streams import TooLarge

if TYPE_CHECKING:
    from school_portal.cli.waiting import Waiter

SEVERITIES = {"error": "错误", "warning": "提醒"}

# Waiting asks for Redis and workbooks for openpyxl: what few commands need, they import.
roster = click.Group("roster", help="名册：模板、检查、导入、错误标注。")


def _sheet() -> Any:
    return click.option("--sheet", metavar="NAME", help="读取哪一张工作表，有多张像名册时须写明")


@roster.command("template")
@click.argument("file", type=console.OUTPUT)
@console.of_school(required=False)
@console.in_format()
@console.in_portal()
def template(file: Path, uscc: str | None, form: str) -> None:
    """写出名册模板；给出学校时，下拉列表中是该校的专业。"""
    from school_portal.services import reviewing  # noqa: PLC0415

    session = db.session()
    dialect.read_only(session)
    school = console.find_school(session, uscc) if uscc else None
    today = current_portal().today()
    console.write_file(file, reviewing.template(session, school, today), form)


@roster.command("check")
@click.argument("file", type=console.INPUT)
@console.of_school()
@_sheet()
@console.on_day()
@console.in_format()
@console.in_portal()
def check(file: Path, uscc: str, sheet: str | None, on: date, form: str) -> None:
    """读取并检查名册，不写入任何数据；有行未通过时退出码为 1。"""
    session = db.session()
    dialect.read_only(session)
    school = console.find_school(session, uscc)
    document = _checked(session, school, file, sheet, on)
    console.answer(document, form, _lines(document))
    raise SystemExit(1 if _is_refused(document) else 0)


@roster.command("import")
@click.argument("file", type=console.INPUT)
@console.of_school()
@_sheet()
@click.option("--accept-valid", is_flag=True, help="有行未通过时，仍保存通过的行")
@console.on_day()
@console.in_format()
@console.in_portal()
def import_(  # the options of the contract
    file: Path, uscc: str, sheet: str | None, accept_valid: bool, on: date, form: str
) -> None:
    """检查名册并保存学生；有行未通过时全部不保存，除非写明 --accept-valid。"""
    from school_portal.cli.waiting import worker_at_hand  # noqa: PLC0415

    session = db.session()
    school = console.find_school(session, uscc)
    actor = Actor.operator_at_the_console(school.id)
    with worker_at_hand() as waiter:
        try:
            with file.open("rb") as stream:
                found = rosters.upload(
                    session,
                    current_portal(),
                    actor,
                    school.id,
                    stream,
                    file.name,
                    sheet=sheet,
                    on=on,
                )
            session.commit()
        except TooLarge:
            _answer_too_large(session, school, file, form)
        document = import_uploaded(session, waiter, actor, found, accept_valid)
    console.answer(document, form, import_lines(document))
    raise SystemExit(1 if _is_refused(document) else 0)


def import_uploaded(
    session: Session, waiter: Waiter, actor: Actor, found: Roster, accept_valid: bool
) -> dict[str, Any]:
    """Wait for the check, confirm what may be saved, wait for the saving; the document."""
    _await_roster(session, waiter, found, "roster-check", "检查名册")
    # Again where others were saved meanwhile, and some of the rows may be taken no longer.
    while rosters.may_confirm(found, accept_valid=accept_valid):
        rosters.confirm(session, current_portal(), actor, found, accept_valid=accept_valid)
        session.commit()
        _await_roster(session, waiter, found, "roster-apply", "保存学生")
    document = rosters.document(session, found)
    session.rollback()  # on SQLite whoever has begun keeps others from writing
    return document


def _await_roster(session: Session, waiter: Waiter, found: Roster, kind: str, label: str) -> None:
    job = latest_job(session, found.school_id, found.id, kind)
    if job is None:
        raise LookupError(kind)
    job_id = job.id
    state = waiter.wait(job_id, label)
    session.refresh(found)
    if state is not JobState.DONE:
        raise Failed(
            f"名册 {found.id} 的后台任务没有完成，未保存任何学生：{_cause(session, job_id)}。"
            "文件已保留，可以在名册页面上继续，或重新导入。"
        )


def _cause(session: Session, job_id: str) -> str:
    job = session.get_one(Job, job_id, populate_existing=True)
    return "已被停止" if job.state is JobState.CANCELLED else cause_of(job)


def _answer_too_large(session: Session, school: School, file: Path, form: str) -> None:
    """A file beyond the limit is not kept; the document says why."""
    session.rollback()
    document = _checked(session, school, file, None, current_portal().today())
    document |= {"roster": None, "created": 0, "updated": 0, "unchanged": 0}
    console.answer(document, form, _lines(document))
    raise SystemExit(1)


def _checked(
    session: Session, school: School, file: Path, sheet: str | None, on: date
) -> dict[str, Any]:
    with file.open("rb") as stream:
        return checking.check_document(
            session, current_portal(), school.id, stream, file.name, sheet=sheet, today=on
        )


def _is_refused(document: dict[str, Any]) -> bool:
    return any(found["severity"] == "error" for found in document["issues"])


def _lines(document: dict[str, Any], most: int | None = None) -> Iterator[str]:
    facts = document["file"]
    yield f"{facts['name']}：{facts['rows']} 行"
    yield f"通过 {document['accepted']} 行，未通过 {document['rejected']} 行"
    if facts["ignored_columns"]:
        yield f"未使用的列：{'、'.join(facts['ignored_columns'])}"
    if facts["hidden_rows"]:
        yield f"有 {facts['hidden_rows']} 行在文件中是隐藏的，仍按学生读取，请核对是否应当保留。"
    if facts["hidden_sheets"]:
        names = "、".join(facts["hidden_sheets"])
        yield f"隐藏的工作表没有读取，需要读取时请取消隐藏：{names}"
    for found in document["issues"][:most]:
        yield f"{SEVERITIES[found['severity']]} {found['message']}（{found['code']}）"
    yield from console.left_out(document["issues"], most, "处")


def import_lines(document: dict[str, Any], most: int | None = None) -> Iterator[str]:
    """The document of `roster import` for people; with `most`, so many of its issues."""
    yield from _lines(document, most)
    number = document["roster"]
    if document["created"] + document["updated"] + document["unchanged"]:
        yield (
            f"名册 {number} 已保存：新增 {document['created']} 人，"
            f"更新 {document['updated']} 人，未变 {document['unchanged']} 人"
        )
    else:
        empty = "" if document["file"]["rows"] else "表头之下没有学生，"
        yield f"名册 {number} {empty}未保存任何学生。"
    if _is_refused(document):
        yield f"标出错误的原表：school-portal roster errors {number} FILE.xlsx"


@roster.command("errors")
@click.argument("number", type=int, metavar="ROSTER")
@click.argument("file", type=console.OUTPUT)
@console.in_format()
@console.in_portal()
def errors(number: int, file: Path, form: str) -> None:
    """把上传的名册写成 FILE.xlsx，错误的单元格标红并加批注。"""
    from school_portal.services import reviewing  # noqa: PLC0415

    session, portal = db.session(), current_portal()
    dialect.read_only(session)  # it may take long, and keeps nobody from writing
    found = session.get(Roster, number)
    if found is None:
        raise Failed(f"没有编号为 {number} 的名册，请核对编号。")
    content = reviewing.error_workbook(session, portal, found)
    session.rollback()
    actor = Actor.operator_at_the_console(found.school_id)
    reviewing.note_handed_back(session, portal, actor, found)
    session.commit()
    console.write_file(file, content, form)
