"""A real server, a real worker, a real browser; one of each for all browser tests."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from urllib.request import urlopen

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from school_portal.app import build
from school_portal.config import KEY_ID_OID, read
from school_portal.demo import ca_folder, soft_key
from school_portal.domain.account import AccountState
from school_portal.domain.windows import academic_year, civil_date
from school_portal.domain.workflow import Role
from school_portal.extensions import db
from school_portal.models import ExtraWindow, SchoolAccount
from school_portal.services.setup import initialise
from tests.conftest import NOW
from tests.factories.accounts import KEY
from tests.factories.evaluation import stages
from tests.factories.operation import a_school, running, student, workbook
from tests.factories.signing import waiting_key
from tests.factories.visitor import PASSWORD, user

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
START_SECONDS = 60
# Of an open account, of an approved one, of the annex 2 that a test fills in.
KEY_IDS = ("EXAMPLE@SF0001", "EXAMPLE@SF0002", KEY)
PIN, NAMES = "a long pin", tuple(f"key-{number}" for number in range(1, len(KEY_IDS) + 1))


@dataclass(frozen=True)
class Site:
    """The running portal: where it is, and where its files are."""

    address: str
    home: Path
    agent_port: int  # where a key's agent is looked for


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a Chromium these tests are skipped by name; in CI that is a failure."""
    if CHROMIUM or os.environ.get("CI") == "true":
        return
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.skip(reason="没有 Chromium：apt-get install chromium"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _environment(home: Path, port: int, agent_port: int) -> dict[str, str]:
    ca = home / "ca"
    list(ca_folder.make(ca, KEY_IDS, KEY_ID_OID, datetime.now(UTC)))
    keys = {name: secrets.token_bytes(32) for name in ("SECRET_KEY", "ENCRYPTION_KEYS")}
    return {
        "SCHOOL_PORTAL_HOME": str(home),
        "SCHOOL_PORTAL_DATABASE_URL": f"sqlite:///{home / 'portal.db'}",
        "SCHOOL_PORTAL_SWEEP_SECONDS": "1",
        "SCHOOL_PORTAL_CA_BUNDLE": str(ca / ca_folder.BUNDLE),
        "SCHOOL_PORTAL_CA_CRLS": str(ca / ca_folder.CRLS),
        "SCHOOL_PORTAL_KEY_AGENT": f"soft-key http://127.0.0.1:{agent_port}",
        "PORT": str(port),
        **{f"SCHOOL_PORTAL_{name}": b64encode(key).decode() for name, key in keys.items()},
    }


def _seed(environment: dict[str, str]) -> None:
    """A running operation whose dates hold whenever the tests run, and people who sign in."""
    app = build(read(environment))
    portal = app.extensions["portal"]
    with app.app_context():
        initialise(portal.ring)
        made = running(db.session())
        made.social.filed_until = None
        made.school.key_id_index = portal.vault.index("key-id", KEY_IDS[0])
        newcomer = a_school(9, "示例新开户学校")
        newcomer.opened_on = None
        newcomer.key_id_index = portal.vault.index("key-id", KEY_IDS[1])
        db.session.add(newcomer)
        db.session.flush()
        db.session.add(SchoolAccount(school_id=newcomer.id, state=AccountState.APPROVED, version=0))
        today = portal.today()
        db.session.add(
            ExtraWindow(
                role=Role.TEACHING_OFFICE,
                starts_on=today,
                ends_on=today + timedelta(days=9),
                reason="示例",
                opened_at=portal.clock(),
            )
        )
        user(db.session(), portal, "zhang", school=made.school)
        user(db.session(), portal, "li", school=made.other)
        waiting_key(db.session(), made.other, portal.clock())
        user(db.session(), portal, "wang", role=Role.CENTRE)
        # Handed in while the window was open, whenever the tests run, and before keys signed.
        stages(db.session(), replace(portal, clock=lambda: NOW, trust=None), made.school)
        user(db.session(), portal, "bao", role=Role.BUREAU)
        user(db.session(), portal, "tan", role=Role.TEACHING_OFFICE)
        user(db.session(), portal, "admin", role=Role.ADMIN)
        db.session.commit()
        db.engine.dispose()


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urlopen(f"{address}/readyz", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the server did not come up")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """`school-portal serve` with its worker and its own Redis."""
    home, port, agent_port = tmp_path_factory.mktemp("home"), _free_port(), _free_port()
    environment = _environment(home, port, agent_port)
    _seed(environment)
    command = "from school_portal.cli import main; main()"
    with (home / "serve.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-c", command, "serve"],
            env={**os.environ, **environment, "PYTHONPATH": str(Path.cwd())},
            stdout=log,
            stderr=log,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, server)
        yield Site(address, home, agent_port)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield opened
        opened.close()


@pytest.fixture
def context(browser: Browser, site: Site) -> Iterator[BrowserContext]:
    opened = browser.new_context(
        base_url=site.address, viewport={"width": 1440, "height": 900}, locale="zh-CN"
    )
    opened.set_default_timeout(15_000)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def faults(page: Page) -> list[object]:
    """What axe finds serious, and what would have to be scrolled sideways."""
    page.wait_for_load_state()
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return [
        (found["id"], [node["target"] for node in found["nodes"]][:3])
        for found in Axe().run(page).response["violations"]
        if found["impact"] in {"serious", "critical"}
    ] + [wide] * (wide > 0)


@pytest.fixture
def agent(site: Site) -> Iterator[soft_key.Agent]:
    folder = site.home / "ca"
    files = {}
    for name in NAMES:
        certificate, key = (folder / f"{name}-rsa.{end}" for end in ("pem", "key"))
        files[name] = soft_key.pack(certificate.read_bytes(), key.read_bytes(), PIN)
    made = soft_key.Agent(files, [site.address], site.agent_port)
    thread = Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def sign(page: Page, name: str) -> None:
    """The page's form, signed with that key and sent."""
    page.get_by_label("密钥", exact=True).select_option(name)
    page.get_by_label("PIN").fill(PIN)
    page.get_by_role("button", name="签名并提交").click()


def sign_in(page: Page, username: str) -> None:
    page.goto("/auth/sign-in")
    page.get_by_label("用户名").fill(username)
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录", exact=True).click()
    page.get_by_role("button", name="退出").wait_for()


def roster_file(
    folder: Path, *, rows: int = 30, first: int = 1, name: str = "2027届毕业生名册.xlsx"
) -> Path:
    """A roster of this academic year: `rows` good ones, one too early to apply, two wrong ones."""
    _, last = academic_year(civil_date(datetime.now(UTC)))
    due = f"{last.year}-06"
    lines = [student(first + n, **{"毕业年月*": due}) for n in range(rows)]
    lines.append(student(first + rows, **{"毕业年月*": f"{last.year + 1}-06"}))
    lines.append(student(first + rows + 1, **{"毕业年月*": due, "手机号码*": "12345"}))
    lines.append(student(first + rows + 2, **{"毕业年月*": due, "证件号码*": "310104200903140000"}))
    path = folder / name
    path.write_bytes(workbook(lines, title="毕业学年学生名册").getvalue())
    return path
