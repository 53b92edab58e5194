"""`school-portal users`: people's accounts."""

from __future__ import annotations

import sys

import click
from flask.cli import with_appcontext

from school_portal.domain.workflow import Role
from school_portal.extensions import db
from school_portal.services import accounts
from school_portal.services.access import Actor, NotFound, Refused, school_of
from school_portal.services.portal import current_portal

CONSOLE = Actor.operator_at_the_console()
STAFF = [role.value for role in Role if role is not Role.SCHOOL]


@click.group()
def users() -> None:
    """人员账户。"""


@users.command()
@click.option("--username", required=True, help="登录用的用户名。")
@click.option("--name", help="显示的姓名，缺省同用户名。")
@click.option("--school", "uscc", metavar="USCC", help="学校操作人员所属学校的统一社会信用代码。")
@click.option("--role", type=click.Choice(STAFF), help="其他人员的角色。")
@with_appcontext
def create(username: str, name: str | None, uscc: str | None, role: str | None) -> None:
    """建立账户；密码从标准输入读取，在终端上则提示输入。"""
    if (uscc is None) == (role is None):
        raise click.UsageError("--school 与 --role 须给出其中一个。")
    session = db.session()
    try:
        school = school_of(session, uscc) if uscc else None
    except NotFound:
        raise Refused(f"没有统一社会信用代码为 {uscc} 的学校，请核对代码。") from None
    accounts.create_user(
        session,
        CONSOLE,
        current_portal().clock(),
        username=username,
        name=name or username,
        password=_password(),
        role=Role(role) if role else Role.SCHOOL,
        school=school,
    )
    session.commit()
    click.echo(f"已建立账户“{username}”。", err=True)


@users.command()
@click.option("--username", required=True)
@with_appcontext
def disable(username: str) -> None:
    """停用账户，其登录立即失效。"""
    _set_active(username, active=False)


@users.command()
@click.option("--username", required=True)
@with_appcontext
def enable(username: str) -> None:
    """恢复停用的账户。"""
    _set_active(username, active=True)


def _set_active(username: str, *, active: bool) -> None:
    session = db.session()
    accounts.set_active(session, CONSOLE, username, current_portal().clock(), active=active)
    session.commit()
    click.echo(f"账户“{username}”已{'恢复' if active else '停用'}。", err=True)


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password: str = click.prompt(
        "密码", hide_input=True, confirmation_prompt="再输入一次", err=True
    )
    return password
