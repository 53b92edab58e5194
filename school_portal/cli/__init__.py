"""The command line `school-portal`: thin groups around services (contract, "Command line")."""

from __future__ import annotations

import os
import secrets
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

import click

# Exit status (contract).
DONE, REFUSED, WRONG_USAGE = 0, 1, 2

COMMANDS = {
    "init": ("operations", "建立或升级数据库，载入参考数据，补齐密钥"),
    "doctor": ("operations", "检查设置、数据库、Redis、存储、密钥和时钟"),
    "serve": ("operations", "在前台运行网站和后台处理"),
    "worker": ("operations", "运行一个后台处理进程"),
    "opening-data": ("opening_data", "期初数据：模板与载入"),
    "roster": ("roster", "名册：模板、检查、导入、错误表"),
    "applications": ("applications", "团体申报：计划、生成、列表、导出"),
    "calendar": ("calendar", "受理期与工作日"),
    "users": ("users", "登录用户"),
    "keys": ("keys", "加密密钥"),
    "audit": ("audit", "审计记录"),
}


class Lazy(click.Group):
    """Loads a group's module when it is called: `--help` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _ = COMMANDS[cmd_name]
        name = cmd_name.replace("-", "_")
        found: click.Command = getattr(import_module(f"school_portal.cli.{module}"), name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("命令"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=Lazy, help="职业院校学生技能等级评价团体申报平台。")
def commands() -> None:
    """The root of all commands."""


def main(arguments: list[str] | None = None) -> None:
    """Run a command; whatever goes wrong, a user sees one line."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """The exit status of a command."""
    try:
        result: Any = commands.main(arguments, prog_name="school-portal", standalone_mode=False)
    except click.Abort:
        click.echo("已中止。", err=True)
        return REFUSED
    except click.UsageError as error:
        error.show()
        return WRONG_USAGE
    except click.ClickException as error:
        click.echo(error.format_message(), err=True)
        return REFUSED
    except Exception as error:  # no traceback ever reaches a user
        click.echo(_one_line(error), err=True)
        return REFUSED
    return result if isinstance(result, int) else DONE


def _one_line(error: Exception) -> str:
    """What to tell of an unexpected error; its place goes to the log, its text may be personal."""
    from school_portal.config import SettingsError  # noqa: PLC0415

    if isinstance(error, SettingsError):
        return str(error)
    if isinstance(error, OSError) and error.filename:
        return f"无法读写文件“{error.filename}”：{error.strerror}。"
    reference = secrets.token_hex(4)
    folder = Path(os.environ.get("SCHOOL_PORTAL_HOME") or "instance") / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    frames = "".join(traceback.format_tb(error.__traceback__))
    with (folder / "errors.log").open("a", encoding="utf-8") as log:
        log.write(f"{reference} {type(error).__name__}\n{frames}\n")
    return f"命令未能完成（错误编号 {reference}），详情见 {folder / 'errors.log'}。"
