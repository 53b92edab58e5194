"""What a user hears when a command cannot do its work: one line, never a traceback."""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from school_portal.config import Settings

NOT_INITIALISED = "数据库尚未初始化或版本较旧，请先运行 school-portal init。"
# By these ends of its class's name or beginnings of its text a driver says that a table lacks.
_LACKING = ("UndefinedTable", "UndefinedColumn")
_LACKING_TEXTS = ("no such table", "no such column")


class Failed(click.ClickException):
    """The input was refused; the text is Chinese."""


def log_to_home(settings: Settings) -> None:
    """Send what the code logs to the home's log, and nothing of it to the terminal."""
    from school_portal import private  # noqa: PLC0415
    from school_portal.logs import configure  # noqa: PLC0415

    folder = private.closed_folder(settings.home / "logs")
    configure((folder / "command.log").open("a", encoding="utf-8"))


def tell(error: Exception) -> int:
    """Say what happened on standard error; the exit status."""
    click.echo(f"错误：{line_of(error)}", err=True)
    return 1


def line_of(error: Exception) -> str:
    """What happened, in a line; the unexpected goes to the log, and the line has its number."""
    known = error.message if isinstance(error, click.ClickException) else _known(error)
    if known:
        return known
    number = secrets.token_hex(4)
    with suppress(Exception):  # where the log cannot be written, the line is all there is
        _note(error, number)
    return f"发生意外错误（编号 {number}），操作没有完成。请把编号告诉系统管理员。"


def _known(error: Exception) -> str | None:
    """The line for what may well happen; None for what should not."""
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415

    from importers.sandbox import ReaderLost  # noqa: PLC0415
    from school_portal.config import SettingsError  # noqa: PLC0415
    from school_portal.domain.workflow import TransitionRefused  # noqa: PLC0415
    from school_portal.embedded_redis import NotStarted  # noqa: PLC0415
    from school_portal.security.cipher import Unreadable  # noqa: PLC0415
    from school_portal.services.access import NotFound, Refused  # noqa: PLC0415
    from school_portal.storage import StorageFailed  # noqa: PLC0415

    match error:
        case (
            SettingsError()
            | Refused()
            | NotStarted()
            | Unreadable()
            | ReaderLost()
            | StorageFailed()
        ):
            return str(error)
        case NotFound():
            return "没有这一对象，请核对编号。"
        case TransitionRefused():
            return "对象的状态已经改变，这一步不能再做，请查看当前状态。"
        case DBAPIError():
            return _database_line(error)
        case OSError():
            return (
                f"无法读写文件或目录：{error.strerror or '原因不明'}。请检查路径、权限与磁盘空间。"
            )
    return None


def _database_line(error: Exception) -> str | None:
    from sqlalchemy.exc import OperationalError  # noqa: PLC0415

    original = getattr(error, "orig", None)
    if type(original).__name__ in _LACKING or str(original).startswith(_LACKING_TEXTS):
        return NOT_INITIALISED
    if isinstance(error, OperationalError):
        return (
            "数据库无法使用，请检查设置 SCHOOL_PORTAL_DATABASE_URL，或运行 school-portal doctor。"
        )
    return None


def _note(error: Exception, number: str) -> None:
    """Type and place into the home's log; an exception's text may hold a user's data."""
    import structlog  # noqa: PLC0415

    from school_portal import config  # noqa: PLC0415
    from school_portal.logs import described  # noqa: PLC0415

    log_to_home(config.read())
    structlog.get_logger().error("command.failed", number=number, **described(error))
