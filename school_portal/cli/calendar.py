"""Windows and working days."""

from __future__ import annotations

import json
from datetime import date, datetime
from importlib.resources import files
from typing import Any

import click

from school_portal.cli.context import Day
from school_portal.domain.windows import specialty_window
from school_portal.domain.workdays import YearNotLoaded, read_workdays


class Instant(click.ParamType):
    """A date and time; without an offset it is Shanghai's."""

    name = "YYYY-MM-DDTHH:MM:SS"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            example = "2026-04-30T23:59:59+08:00"
            self.fail(f"“{value}”不是有效的时间，请按 {example} 的样式填写。", param, ctx)


@click.group(help="受理期与工作日。")
def calendar() -> None:
    """The group."""


@calendar.command(help="某一时刻的专业评估受理期。")
@click.option("--at", type=Instant(), required=True, help="时刻，不带时差的为上海时间")
def window(at: datetime) -> None:
    """The contract's document of `calendar window`."""
    found = specialty_window(at)
    document = {
        "specialty_evaluation": {
            "open": found.open,
            "opens": found.opens.isoformat(),
            "closes": found.closes.isoformat(),
        }
    }
    click.echo(json.dumps(document))


@calendar.command(help="某日之后第几个工作日是哪一天。")
@click.option("--from", "start", type=Day(), required=True, help="起算日，本日不计")
@click.option("--count", type=click.IntRange(min=1), required=True, help="工作日数")
def workdays(start: date, count: int) -> None:
    """The contract's document of `calendar workdays`."""
    text = files("school_portal").joinpath("data", "workdays.csv").read_text(encoding="utf-8")
    try:
        end = read_workdays(text.splitlines()).add_workdays(start, count)
    except YearNotLoaded as missing:
        raise click.ClickException(
            f"{missing.year} 年的节假日安排尚未载入，无法推算，请按国务院办公厅通知载入后再算，"
            "或直接填写截止日期。"
        ) from None
    click.echo(json.dumps({"end": end.isoformat()}))
