"""`school-portal users`: people's accounts."""

from __future__ import annotations

import sys

import click

from school_portal.cli.context import portal
from school_portal.domain.workflow import Role
from school_portal.services import accounts
from school_portal.services.access import Actor, school_of

CONSOLE = Actor.operator_at_the_console()
STAFF = [role.value for role in Role if role is not Role.SCHOOL]
username_option = click.option("--username", required=True, help="登录用的用户名")


@click.group(help="登录用户。")
def users() -> None:
    """The commands for people's accounts."""


@users.command(help="建立用户；密码从标准输入读取，在终端上则提示输入。")
@username_option
@click.option("--name", help="显示的姓名，缺省同用户名")
@click.option("--school", "uscc", metavar="USCC", help="学校操作人员所属学校的统一社会信用代码")
@click.option("--role", type=click.Choice(STAFF), help="其他人员的角色")
def create(username: str, name: str | None, uscc: str | None, role: str | None) -> None:
    """A new person who signs in."""
    if (uscc is None) == (role is None):
        raise click.UsageError("--school 与 --role 须给出其中一个。")
    password = _password()  # before the database is locked
    with portal() as (session, surroundings):
        accounts.create_user(
            session,
            CONSOLE,
            surroundings.clock(),
            username=username,
            name=name or username,
            password=password,
            role=Role(role) if role else Role.SCHOOL,
            school=school_of(session, uscc) if uscc else None,
        )
        session.commit()
    click.echo(f"已建立用户“{username}”。", err=True)


@users.command(help="停用用户，其登录立即失效。")
@username_option
def disable(username: str) -> None:
    """The person's sign-ins end at once."""
    _set_active(username, active=False)


@users.command(help="恢复停用的用户。")
@username_option
def enable(username: str) -> None:
    """The person may sign in again."""
    _set_active(username, active=True)


def _set_active(username: str, *, active: bool) -> None:
    with portal() as (session, surroundings):
        accounts.set_active(session, CONSOLE, username, surroundings.clock(), active=active)
        session.commit()
    click.echo(f"用户“{username}”已{'恢复' if active else '停用'}。", err=True)


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    typed: str = click.prompt("密码", hide_input=True, confirmation_prompt="再输入一次", err=True)
    return typed
