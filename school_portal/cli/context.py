"""What every command shares: the application, the school, the day, the answer."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import click
import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.app import build
from school_portal.extensions import db
from school_portal.models import School, dialect
from school_portal.services.access import NotFound, Refused, school_of
from school_portal.services.portal import Portal

Command = Callable[..., Any]


class Day(click.ParamType):
    """A civil day, YYYY-MM-DD."""

    name = "YYYY-MM-DD"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> date:
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"“{value}”不是有效的日期，请按 2026-10-15 的样式填写。", param, ctx)


school_option = click.option("--school", "uscc", required=True, help="学校的统一社会信用代码")
on_option = click.option("--on", type=Day(), help="按哪一天判定，默认为今天（上海）")
format_option = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="输出格式"
)
roster_option = click.option("--roster", "roster_id", type=int, help="只看这一份名册")


@contextmanager
def portal(*, read_only: bool = False) -> Iterator[tuple[Session, Portal]]:
    """The application's session and surroundings; what services refuse becomes one line."""
    app = build()
    with app.app_context():
        session = db.session()
        if read_only:
            dialect.read_only(session)
        try:
            _check_schema(session)
            yield session, app.extensions["portal"]
        except Refused as refused:
            raise click.ClickException(str(refused)) from None
        except NotFound as missing:
            raise click.ClickException(_MISSING.get(str(missing), "没有找到。")) from None
        finally:
            db.session.remove()
            db.engine.dispose()


_MISSING = {
    "School": "没有这所学校，请核对统一社会信用代码。",
    "Roster": "没有这份名册，请核对编号。",
    "GroupApplication": "没有这份团体申报，请核对编号。",
}


def _check_schema(session: Session) -> None:
    if not sa.inspect(session.connection()).has_table("schools"):
        raise click.ClickException("数据库尚未建立，请先运行 school-portal init。")


def with_school(read_only: bool) -> Callable[[Command], Command]:
    """Give the command `session`, `portal` and the `school` named by its USCC."""

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def wrapped(uscc: str, **options: Any) -> Any:
            with portal(read_only=read_only) as (session, surroundings):
                school: School = school_of(session, uscc)
                return command(session, surroundings, school, **options)

        return wrapped

    return decorate


def answer(document: dict[str, Any], form: str, text: Callable[[dict[str, Any]], str]) -> None:
    """The document on standard output, as JSON or for people."""
    if form == "json":
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        click.echo(text(document))
