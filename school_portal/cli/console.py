"""What the commands share: options, the answer in one document, files read and written."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext, suppress
from datetime import UTC, date, datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from school_portal.cli.failures import Failed, line_of, log_to_home
from school_portal.cli.words import reason
from school_portal.domain.texts import trimmed
from school_portal.domain.windows import civil_date

if TYPE_CHECKING:
    from flask import Flask
    from sqlalchemy.orm import Session

    from school_portal.models import School

F = TypeVar("F", bound=Callable[..., Any])


class Day(click.ParamType[date]):
    """A civil day, YYYY-MM-DD."""

    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        if re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
            with suppress(ValueError):  # no such day
                return date.fromisoformat(value)
        return self.fail(f"“{value}”不是日期，请按 2026-10-15 的样式填写。", param, ctx)


def in_format(default: str = "text") -> Callable[[F], F]:
    """The option `--format`; what a command cannot do is a document too: `{"error": …}`."""
    option = click.option(
        "--format",
        "form",
        type=click.Choice(["text", "json"]),
        default=default,
        show_default=True,
        help="text 供人阅读，json 为标准输出上的一份 JSON 文档",
    )

    def formed(command: F) -> F:
        @wraps(command)
        def run(*values: Any, form: str, **options: Any) -> Any:
            try:
                return command(*values, form=form, **options)
            except (click.UsageError, BrokenPipeError):  # a reader that has gone wants no more
                raise
            except Exception as error:
                told = line_of(error)
                if form == "json":
                    answer({"error": told}, form, ())
                raise Failed(told) from error

        return option(cast(F, run))

    return formed


def of_school(*, required: bool = True) -> Callable[[F], F]:
    """The option `--school`."""
    return click.option(
        "--school", "uscc", metavar="USCC", required=required, help="学校的统一社会信用代码"
    )


def on_day() -> Callable[[F], F]:
    """The option `--on`: the civil day for which the rules are judged."""
    return click.option(
        "--on",
        "on",
        type=Day(),
        default=lambda: civil_date(datetime.now(UTC)),
        show_default="上海的今天",
        help="按哪一天判断规则",
    )


def in_portal(*, whole: bool = False) -> Callable[[F], F]:
    """The command runs in the portal; in the `whole` one it may migrate the database too."""

    def within(command: F) -> F:
        @wraps(command)
        def run(*values: Any, **options: Any) -> Any:
            from flask import has_app_context  # noqa: PLC0415

            with nullcontext() if has_app_context() else _portal(whole).app_context():
                return command(*values, **options)

        return cast(F, run)

    return within


def _portal(whole: bool) -> Flask:
    # Imported here: calendar and help need neither Flask nor a database.
    from school_portal import config, create_app  # noqa: PLC0415

    settings = config.read()
    log_to_home(settings)
    if whole:
        return create_app(settings)
    from school_portal.core import build_core  # noqa: PLC0415

    return build_core(settings)


INPUT = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
OUTPUT = click.Path(dir_okay=False, path_type=Path)


def answer(document: dict[str, Any], form: str, lines: Iterable[str]) -> None:
    """One document, or lines for people, on standard output."""
    if form == "json":
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        for line in lines:
            click.echo(line)


def left_out(
    listed: Sequence[object], most: int | None, unit: str, before: str = ""
) -> Iterator[str]:
    """What stands after the first `most` of a list: how many more there are, where there are."""
    if most is not None and len(listed) > most:
        yield f"{before}另有 {len(listed) - most} {unit}"


def write_file(path: Path, content: bytes, form: str) -> None:
    """Write what was asked for, whole or not at all, and say so. Raises Failed."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise Failed(
            f"无法写入“{path}”：{reason(error)}。请检查目录是否存在、能否写入。"
        ) from error
    answer({"file": str(path)}, form, [f"已写入 {path}"])


def find_school(session: Session, uscc: str) -> School:
    """The school with that code. Raises Failed."""
    from school_portal.services.access import NotFound, school_of  # noqa: PLC0415

    try:
        return school_of(session, trimmed(uscc).upper())
    except NotFound:
        raise Failed(
            f"没有统一社会信用代码为“{uscc}”的学校，请核对代码，或先载入期初数据。"
        ) from None
