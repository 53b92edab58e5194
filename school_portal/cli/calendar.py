"""`school-portal calendar`: the specialty-evaluation window and working days (rulebook 3)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import click

from school_portal.cli import console
from school_portal.cli.failures import Failed
from school_portal.domain.windows import specialty_window
from school_portal.domain.workdays import YearNotLoaded, shipped

calendar = click.Group("calendar", help="专业评估受理窗口与工作日。")


class Instant(click.ParamType[datetime]):
    """A date and time (ISO 8601); without offset it is Shanghai's."""

    name = "INSTANT"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"“{value}”不是时刻，请按 2026-04-30T23:59:59+08:00 的样式填写。", param, ctx)


@calendar.command("window")
@click.option("--at", type=Instant(), required=True, help="时刻；不写时区的按上海时间")
@console.in_format("json")
def window(at: datetime, form: str) -> None:
    """该时刻专业评估申请是否受理，以及本次（未受理时为下一次）窗口的起止。"""
    try:
        found = specialty_window(at)
    except (ValueError, OverflowError) as error:  # at the calendar's end
        raise click.BadParameter("超出可以计算的年份。", param_hint="--at") from error
    opens, closes = found.opens.isoformat(), found.closes.isoformat()
    console.answer(
        {"specialty_evaluation": {"open": found.open, "opens": opens, "closes": closes}},
        form,
        [f"专业评估申请{'正在' if found.open else '未在'}受理，窗口：{opens} 至 {closes}"],
    )


@calendar.command("workdays")
@click.option("--from", "start", type=console.Day(), required=True, help="起算日，当日不计")
@click.option("--count", type=click.IntRange(min=1), required=True, help="工作日数")
@console.in_format("json")
def workdays(start: date, count: int, form: str) -> None:
    """起算日之后第若干个工作日，按国务院办公厅公布的节假日与调休安排。"""
    try:
        end = _end(start, count)
    except (YearNotLoaded, OverflowError) as error:
        year = error.year if isinstance(error, YearNotLoaded) else start.year + 1
        raise Failed(
            f"{year} 年的节假日安排尚未载入，无法推算；请按国务院办公厅的通知直接填写截止日期。"
        ) from error
    console.answer({"end": end.isoformat()}, form, [f"第 {count} 个工作日是 {end}"])


def _end(start: date, count: int) -> date:
    """By the shipped table; the portal's database is asked where that lacks a year."""
    from school_portal import config  # noqa: PLC0415

    try:
        return shipped().add_workdays(start, count)
    except YearNotLoaded:
        if not config.has_database():
            raise
    # Imported here: most answers need neither Flask nor a database.
    from school_portal import create_app  # noqa: PLC0415
    from school_portal.extensions import db  # noqa: PLC0415
    from school_portal.services import calendars  # noqa: PLC0415

    with create_app().app_context():
        return calendars.calendar(db.session()).add_workdays(start, count)
