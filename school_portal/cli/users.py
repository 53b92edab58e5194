"""`school-portal users`: people's accounts."""

from __future__ import annotations

import sys

import click

from school_portal.cli import console
from school_portal.domain.workflow import Role
from school_portal.extensions import db
from school_portal.services import accounts
from school_portal.services.access import Actor
from school_portal.services.portal import current_portal

STAFF = [role.value for role in Role if role is not Role.SCHOOL]

users = click.Group("users", help="平台账户。")
username_option = click.option("--username", required=True, help="登录用的用户名")


@users.command("create")
@username_option
@click.option("--name", help="显示的姓名，缺省同用户名")
@console.of_school(required=False)
@click.option("--role", type=click.Choice(STAFF), help="不属于学校的人员的角色")
@click.option("--email", default="", help="接收通知的邮箱地址，可不填")
@click.option("--keep-password", is_flag=True, help="密码由本人设定，首次登录不必更改")
@console.in_portal()
def create(
    username: str,
    name: str | None,
    uscc: str | None,
    role: str | None,
    email: str,
    keep_password: bool,
) -> None:
    """建立账户：学校操作人员给出 --school，其他人员给出 --role。

    密码从标准输入读取，在终端上则提示输入；本人首次登录时须更改。
    """
    if (uscc is None) == (role is None):
        raise click.UsageError("--school 与 --role 须给出其中一个。")
    password = _password()  # before the database is locked
    session, portal, actor = db.session(), current_portal(), Actor.operator_at_the_console()
    user = accounts.create_user(
        session,
        actor,
        portal.clock(),
        username=username,
        name=name or username,
        password=password,
        role=Role(role) if role else Role.SCHOOL,
        school=console.find_school(session, uscc) if uscc else None,
        initial=not keep_password,
    )
    if email:
        accounts.set_email(session, portal, actor, user, email)
    session.commit()
    click.echo(f"已建立账户“{username}”", err=True)


@users.command("disable")
@username_option
@console.in_portal()
def disable(username: str) -> None:
    """停用账户，其登录立即失效。"""
    _set_active(username, active=False)


@users.command("enable")
@username_option
@console.in_portal()
def enable(username: str) -> None:
    """恢复停用的账户。"""
    _set_active(username, active=True)


def _set_active(username: str, *, active: bool) -> None:
    session, actor = db.session(), Actor.operator_at_the_console()
    accounts.set_active(session, actor, username, current_portal().clock(), active=active)
    session.commit()
    click.echo(f"账户“{username}”已{'恢复' if active else '停用'}", err=True)


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    typed: str = click.prompt("密码", hide_input=True, confirmation_prompt="再输入一次", err=True)
    return typed
