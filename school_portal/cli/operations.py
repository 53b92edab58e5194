"""Setting up, checking and running the portal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

import click

from school_portal.app import build
from school_portal.config import ROOT, read

CHECK_SECONDS = 0.3
STOP_SECONDS = 40


@click.command(help="建立或升级数据库，载入参考数据，补齐密钥；再次运行不作改动。")
def init() -> None:
    """Create or upgrade."""
    from school_portal.services.setup import initialise  # noqa: PLC0415

    app = build()
    with app.app_context():
        initialise(app.extensions["portal"].ring)
    click.echo("数据库、参考数据和密钥已就绪。", err=True)


@click.command(help="检查设置、数据库、Redis、存储、密钥和时钟；有一项不成则退出状态为 1。")
def doctor() -> int:
    """One line each."""
    from school_portal.services.doctor import examine  # noqa: PLC0415

    app = build()
    with app.app_context():
        findings = examine(app.extensions["portal"], app.extensions["bell"])
    for name, fault in findings:
        click.echo(f"{'正常' if fault is None else '异常'}  {name}{f'：{fault}' if fault else ''}")
    return 1 if any(fault for _, fault in findings) else 0


@click.command(help="运行一个后台处理进程，直到 SIGTERM。")
def worker() -> None:
    """Become the worker: the same process, so that signals reach it."""
    read()  # a wrong setting is told here
    os.execv(sys.executable, [sys.executable, "-m", "batch.worker"])


@click.command(help="在前台运行网站、后台处理，以及没有 REDIS_URL 时的内置 Redis。")
@click.option("--workers", type=click.IntRange(min=1), default=1, help="后台处理进程数")
def serve(workers: int) -> int:
    """Run all of it until SIGTERM or Ctrl-C; what dies is started again."""
    settings = read()
    if not _is_free(settings.port):
        raise click.ClickException(f"端口 {settings.port} 已被占用，请以 PORT=端口号 另选一个。")
    return Supervisor(settings.home / "logs", settings.port, workers).run()


def _is_free(port: int) -> bool:
    import socket  # noqa: PLC0415

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))  # noqa: S104  what gunicorn will do
        except OSError:
            return False
    return True


class Supervisor:
    """The web server and the workers as children of this process, and nobody left behind."""

    def __init__(self, logs: Path, port: int, workers: int) -> None:
        self.logs = logs
        web = [
            *(sys.executable, "-m", "gunicorn", "wsgi:app", "--chdir", str(ROOT)),
            *("--bind", f"0.0.0.0:{port}", "--threads", "8", "--workers", "1"),
            *("--graceful-timeout", "20", "--timeout", "120", "--log-level", "warning"),
        ]
        self.commands = {"web": web}
        for number in range(1, workers + 1):
            self.commands[f"worker-{number}"] = [sys.executable, "-m", "batch.worker"]
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.stopping = False

    def run(self) -> int:
        """Start, watch, stop."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        self.logs.mkdir(parents=True, exist_ok=True)
        try:
            while not self.stopping:
                for name in self.commands:
                    self._keep_up(name)
                time.sleep(CHECK_SECONDS)
        finally:
            self._end()
        return 0

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True

    def _keep_up(self, name: str) -> None:
        running = self.running.get(name)
        if running is not None and running.poll() is None:
            return
        with (self.logs / f"{name}.log").open("ab") as output:
            self.running[name] = subprocess.Popen(
                self.commands[name],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, "SCHOOL_PORTAL_HOME": str(read().home)},
                start_new_session=True,  # Ctrl-C is for us: we end them in order
            )

    def _end(self) -> None:
        for process in self.running.values():
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in self.running.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
