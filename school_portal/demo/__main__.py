"""`make run`: portal and worker on the embedded default, invented data, the main job run once."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import click
import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal import config, create_app
from school_portal.cli import failures
from school_portal.cli.applications import generated, plan_lines
from school_portal.cli.failures import Failed
from school_portal.cli.processes import Interrupted, Supervisor, ended_by_signals
from school_portal.cli.rosters import import_lines, import_uploaded
from school_portal.cli.serve import TEND_SECONDS, address, require_free, running
from school_portal.cli.waiting import Waiter
from school_portal.cli.words import speak_chinese
from school_portal.demo import keys, season
from school_portal.demo.operation import COLLEGE, SECONDARY, opening_workbook
from school_portal.demo.people import EXPERTS, PEOPLE, create_people, kept_passwords
from school_portal.demo.rosters import college_roster, secondary_roster
from school_portal.extensions import db
from school_portal.models import School
from school_portal.services import opening, rosters
from school_portal.services.access import Actor, school_of
from school_portal.services.portal import Portal, current_portal
from school_portal.services.setup import initialise

HOME = f"{config.PREFIX}HOME"
START_SECONDS = 60.0
FEW = 3  # of each list in the terminal: after real use there are thousands, the pages have them
CA = "ca"  # the folder of the demonstration's CA
SAMPLE, TO_TRY = f"{SECONDARY.name}名册.xlsx", f"{COLLEGE.name}名册.xlsx"


def main() -> None:
    """Run the demonstration until Ctrl-C or SIGTERM; what goes wrong is one line."""
    speak_chinese()
    try:
        with ended_by_signals():
            _demonstrate()
    except Interrupted:
        click.echo("已停止。", err=True)
    except Failed as failed:
        failed.show()
        sys.exit(failed.exit_code)
    except Exception as error:
        sys.exit(failures.tell(error))


def _demonstrate() -> None:
    _forget_other_servers()
    settings = config.read()
    require_free(settings)
    failures.log_to_home(settings)
    with create_app(settings).app_context():
        portal, session = current_portal(), db.session()
        folder = settings.home / "demo"
        initialise(portal.ring)
        passwords = prepare(session, portal, folder)
        agent_port = keys.free_port()
        os.environ.update(keys.settings(folder / CA, agent_port))
        with running(settings, workers=1, log=settings.home / "logs" / "portal.log") as supervisor:
            agent = keys.agent(folder / CA, agent_port, address(settings))
            supervisor.start("软件密钥", agent)
            for line in _main_job(session, portal, supervisor, folder / SAMPLE):
                click.echo(line)
            db.session.remove()
            _await_site(supervisor, address(settings))
            named = address(settings).replace("127.0.0.1", "localhost")  # passkeys want a name
            for line in _farewell(named, passwords, folder):
                click.echo(line)
            supervisor.tend_forever(TEND_SECONDS)


def _forget_other_servers() -> None:
    """The demonstration touches no server that it did not start: only HOME and PORT count."""
    for name in [name for name in os.environ if name.startswith(config.PREFIX) and name != HOME]:
        del os.environ[name]


def prepare(session: Session, portal: Portal, folder: Path) -> dict[str, str]:
    """The demonstration's data, people and files, where they are not there yet; the passwords.

    Raises Failed where the home holds somebody's own data.
    """
    first_time = not folder.exists()
    if first_time and session.scalar(sa.select(sa.func.count()).select_from(School)):
        raise Failed(f"{portal.settings.home} 中已有业务数据，请用 {HOME} 另选一个目录来演示。")
    folder.mkdir(mode=0o700, exist_ok=True)
    keys.make(folder / CA, portal.clock())
    today = portal.today()
    passwords = kept_passwords(folder / "sign-ins.json")
    if session.scalar(sa.select(School.id).where(School.uscc == SECONDARY.uscc)) is None:
        actor = Actor.operator_at_the_console()
        loaded = opening.load(session, portal, actor, BytesIO(opening_workbook(today)))
        if not loaded.is_done:
            raise Failed("示例数据未能载入。" + "".join(found.message for found in loaded.issues))
    create_people(session, portal, passwords)
    session.commit()
    season.play(session, portal, passwords)
    session.commit()
    for name, make in ((SAMPLE, secondary_roster), (TO_TRY, college_roster)):
        if not (folder / name).exists():
            (folder / name).write_bytes(make(today))
    return passwords


def _main_job(
    session: Session, portal: Portal, supervisor: Supervisor, file: Path
) -> Iterator[str]:
    """The sample roster through the worker, as a school's operator would have it."""
    waiter = Waiter(lambda untaken_since: supervisor.tend(), shown=True)
    school = school_of(session, SECONDARY.uscc)
    actor = Actor.operator_at_the_console(school.id)
    with file.open("rb") as stream:
        uploaded = rosters.upload(session, portal, actor, school.id, stream, file.name)
    session.commit()
    document = import_uploaded(session, waiter, actor, uploaded, accept_valid=True)
    yield f"—— 名册：{file}"
    yield from import_lines(document, FEW)
    yield f"—— 团体申报：{school.name}"
    yield from plan_lines(generated(session, waiter, school, portal.today()), "已生成", FEW)


def _await_site(supervisor: Supervisor, site: str) -> None:
    """Wait until the site answers. Raises Failed."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        supervisor.tend()
        try:
            with urlopen(f"{site}/healthz", timeout=5):  # noqa: S310  our own address
                return
        except (URLError, OSError):
            time.sleep(0.2)
    raise Failed("网站没有应答，请查看数据目录下的 logs/portal.log。")


def _farewell(site: str, passwords: dict[str, str], folder: Path) -> Iterator[str]:
    yield ""
    yield f"网站地址：{site}"
    yield "示例账户（用户名、密码、身份）："
    for username, (_, _, name) in PEOPLE.items():
        yield f"  {username:<10} {passwords[username]:<14} {name}"
    for username, (name, employer, _) in EXPERTS.items():
        yield f"  {username:<10} {passwords[username]:<14} 评估专家{name}（{employer}）"
    yield "也可以用密钥登录：在登录页“用 CA 密钥登录”处选 school-1 或 school-2，"
    yield f"PIN 为 {keys.PIN}；"
    yield "school-3 尚未开户：在 centre 收到原件并批准后，用它的密钥由此注册开户。"
    yield "接下来：以 school-1 登录，可看到上面的名册与团体申报，并用密钥签名提交；"
    yield f"以 school-2 登录，可上传 {folder / TO_TRY}，从检查、确认到生成、下载走一遍。"
    yield "按 Ctrl-C 停止。"


if __name__ == "__main__":
    main()
