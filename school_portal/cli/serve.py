"""`school-portal serve` and `school-portal worker`: what runs as long as it is wanted."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import click

from school_portal.cli.failures import Failed
from school_portal.cli.processes import Interrupted, Supervisor, python, supervised
from school_portal.cli.words import reason

if TYPE_CHECKING:
    from school_portal.config import Settings

TEND_SECONDS = 0.5
WEB_THREADS = 8
WEB_CONNECTIONS = 500  # well below the files that a process may open


@click.command()
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="任务进程数",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="网站监听的地址")
@click.option("--behind-proxy", is_flag=True, help="网站前面有代理服务器；监听本机以外的地址时必需")
def serve(workers: int, host: str, behind_proxy: bool) -> None:
    """在前台运行网站（端口由环境变量 PORT 指定）、任务进程，未设置 REDIS_URL 时还有内置 Redis。"""
    from school_portal import config, core  # noqa: PLC0415

    if not behind_proxy and not is_loopback(host):
        raise click.UsageError(
            f"{host} 不是本机地址，别的机器可以直接连到网站。请由 nginx 等代理服务器接受连接，"
            "网站只监听本机；代理服务器在另一台机器上时，请加上 --behind-proxy。"
        )
    settings = config.read()
    core.trust_files(settings)  # told in one line here, not by each of the web's processes
    require_initialised(settings)
    try:
        with running(settings, workers=workers, host=host) as supervisor:
            click.echo(f"网站地址 {address(settings, host)}，按 Ctrl-C 停止。", err=True)
            supervisor.tend_forever(TEND_SECONDS)
    except Interrupted:
        click.echo("已停止。", err=True)


@click.command()
def worker() -> None:
    """在前台运行一个任务进程；可在任意多台机器上运行任意多个。"""
    from school_portal import config  # noqa: PLC0415

    require_initialised(config.read())
    os.execv(sys.executable, python("batch.worker"))  # noqa: S606  our own interpreter


def require_initialised(settings: Settings) -> None:
    """Raises what tells of an unfit setting, a database that is away or not initialised."""
    import sqlalchemy as sa  # noqa: PLC0415

    from school_portal.models import WrappedKey  # noqa: PLC0415

    engine = sa.create_engine(settings.database_url)
    try:
        with engine.connect() as connection:
            connection.execute(sa.select(WrappedKey.name))
    finally:
        engine.dispose()


def address(settings: Settings, host: str = "127.0.0.1") -> str:
    """Where a browser on this machine finds the site."""
    if settings.origin:
        return settings.origin
    return f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{settings.port}"  # noqa: S104


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine reaches the address; a name but `localhost` may be any."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def running(
    settings: Settings, *, workers: int, host: str = "127.0.0.1", log: Path | None = None
) -> Iterator[Supervisor]:
    """Redis, workers and the site for as long as the block lasts.

    Raises Failed where the port is taken, and as `supervised`.
    """
    require_free(settings, host)
    with supervised(settings, log) as supervisor:
        for _ in range(workers):
            supervisor.start("任务进程", python("batch.worker"))
        supervisor.start("网站", _web(host, settings.port))
        yield supervisor


def require_free(settings: Settings, host: str = "127.0.0.1") -> None:
    """Raises Failed where somebody else listens on the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, settings.port))
        except OSError as error:
            raise Failed(
                f"无法使用 {host} 的端口 {settings.port}：{reason(error)}。"
                "请用环境变量 PORT 换一个端口，或先停止占用它的程序。"
            ) from error


def _web(host: str, port: int) -> list[str]:
    return python(
        "gunicorn",
        *("--bind", f"[{host}]:{port}" if ":" in host else f"{host}:{port}"),
        *("--worker-class", "school_portal.web_worker.PatientWorker"),
        *("--threads", str(WEB_THREADS), "--worker-connections", str(WEB_CONNECTIONS)),
        *("--graceful-timeout", "20", "--timeout", "120"),
        *("--log-level", "warning", "--no-control-socket"),
        "school_portal:create_site()",
    )
