"""The portal behind a real nginx, configured and started as docs/deploy has it."""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import URLError
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.app import build
from school_portal.config import read
from school_portal.demo import authority
from school_portal.demo.authority import Issued, RsaSigner, Sm2Signer
from school_portal.domain.account import AccountState
from school_portal.extensions import db
from school_portal.models import AuditEvent, School, SchoolAccount
from tests.factories.authority import DAY, KEY_ID, OID, bundle_text, pem, spare_rsa
from tests.factories.operation import a_school, running
from tests.factories.visitor import PASSWORD, user
from tests.factories.web import Web, context

NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
pytestmark = pytest.mark.skipif(
    NGINX is None and os.environ.get("CI") != "true",
    reason="没有 nginx：apt-get install nginx-light",
)
ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "docs" / "deploy"
START_SECONDS = 60
APPROVED, UNKNOWN = "1@SF310104200001010025", "1@SF310104200001010033"
BUTTON, TLS = "用这个证书登录", "/auth/ca/tls"


@dataclass(frozen=True)
class Site:
    """What runs, and where: through nginx, and past it over TCP."""

    folder: Path
    https: int
    plain: int
    direct: int

    @property
    def address(self) -> str:
        return f"https://localhost:{self.https}"

    def web(self, certificate: str | None = None) -> Web:
        return Web(self.address, self.folder / f"{certificate}.pem" if certificate else None)


def write(folder: Path, name: str, issued: Issued) -> Issued:
    """The certificate and its key in one PEM file."""
    entries = (("CERTIFICATE", issued.der), issued.signer.entry)
    (folder / f"{name}.pem").write_text("".join(pem(*entry) for entry in entries))
    return issued


def make_certificates(folder: Path) -> None:
    """A CA beside one with SM2, its CRL, and certificates good and bad, by the clock's dates."""
    begins, ends = datetime.now(UTC) - DAY, datetime.now(UTC) + DAY

    def issue(
        name: str, key_id: str, by: Issued, until: datetime = ends, key: RsaSigner | None = None
    ) -> Issued:
        given = authority.for_a_person(key_id, OID)
        made = authority.issue(name, key or spare_rsa(), given, begins - DAY, until, by)
        return write(folder, name, made)

    def ca(name: str, signer: RsaSigner | Sm2Signer) -> Issued:
        return authority.issue(name, signer, authority.for_a_ca(), begins, ends)

    # Other certificates of the same name and another key are not from the same CA.
    rsa, sm2, other = ca("示例根", spare_rsa()), ca("示例 SM2 根", Sm2Signer()), spare_rsa()
    issue("good", KEY_ID, rsa)
    issue("approved", APPROVED, rsa)
    issue("unknown", UNKNOWN, rsa)
    issue("expired", KEY_ID, rsa, begins)
    issue("untrusted", KEY_ID, ca("别的根", other))
    revoked = issue("revoked", KEY_ID, rsa)
    write(folder, "tls", rsa)
    (folder / "bundle.pem").write_text(bundle_text(rsa, sm2))
    lists = [authority.revoke(one, [revoked], begins, ends) for one in (rsa, sm2)]
    (folder / "crls.pem").write_text("".join(pem("X509 CRL", der) for der in lists))


def seed(environment: dict[str, str]) -> None:
    """An open school, an approved one, and a person with a password."""
    app = build(read(environment))
    portal = app.extensions["portal"]
    with app.app_context():
        made = running(db.session())
        made.school.key_id_index = portal.vault.index("key-id", KEY_ID)
        approved = a_school(9, "示例新开户学校")
        approved.opened_on = None
        approved.key_id_index = portal.vault.index("key-id", APPROVED)
        db.session.add(approved)
        db.session.flush()
        db.session.add(SchoolAccount(school_id=approved.id, state=AccountState.APPROVED, version=0))
        user(db.session(), portal, "zhang", school=made.school)
        db.session.commit()
        db.engine.dispose()


def configuration(site: Site) -> str:
    """The shipped configuration with this site's addresses and files, in what Debian wraps it."""
    text = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    text = "".join(line for line in text.splitlines(True) if "listen [::]" not in line)
    for shipped, here in {
        "portal.example.edu.cn": "localhost",
        "listen 80;": f"listen 127.0.0.1:{site.plain};",
        "listen 443 ": f"listen 127.0.0.1:{site.https} ",
        "/run/school-portal/web.sock": f"{site.folder}/web.sock",
        "/run/nginx-school-portal": f"{site.folder}/uploads",
        "/etc/school-portal/tls.pem": f"{site.folder}/tls.pem",
        "/etc/school-portal/tls.key": f"{site.folder}/tls.pem",
        "/etc/school-portal/ca-bundle.pem": f"{site.folder}/bundle.pem",
        "/var/log/nginx/": f"{site.folder}/",
    }.items():
        assert shipped in text
        text = text.replace(shipped, here)
    kinds = ("proxy", "fastcgi", "uwsgi", "scgi")
    folders = "".join(f"{kind}_temp_path {site.folder}/{kind};\n" for kind in kinds)
    main = f"daemon off;\nuser {getpass.getuser()};\npid {site.folder}/nginx.pid;\nevents {{}}\n"
    return f"{main}http {{\ngzip on;\n{folders}{text}}}\n"


def gunicorn(site: Site) -> list[str]:
    """The service's command, one process of it, that listens over TCP besides."""
    text = (DEPLOY / "school-portal-web.service").read_text(encoding="utf-8")
    (command,) = (
        line.removeprefix("ExecStart=")
        for line in text.replace("\\\n", "").splitlines()
        if line.startswith("ExecStart=")
    )
    _, *arguments = shlex.split(command)
    there, here = "/run/school-portal/web.sock", f"{site.folder}/web.sock"
    arguments = [one.replace(there, here) for one in arguments]
    more = ["--workers", "1", "--bind", f"127.0.0.1:{site.direct}"]
    return [sys.executable, "-m", "gunicorn", *arguments, *more]


@contextmanager
def running_until_left(
    command: list[str], log: Path, environment: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **environment}, stdout=file, stderr=file
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def wait_for(site: Site, *processes: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and all(one.poll() is None for one in processes):
        try:
            if site.web().get("/healthz").status == 200:
                return
        except (URLError, OSError):
            pass
        time.sleep(0.1)
    raise RuntimeError("the site did not come up")


def free_ports(number: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, initialised_sqlite: Path, keys: dict[str, str]
) -> Iterator[Site]:
    assert NGINX, "apt-get install nginx-light"
    folder = tmp_path_factory.mktemp("nginx")
    made = Site(folder, *free_ports(3))
    make_certificates(folder)
    shutil.copyfile(initialised_sqlite, folder / "portal.db")
    environment = {
        **keys,
        "SCHOOL_PORTAL_HOME": str(folder / "home"),
        "SCHOOL_PORTAL_DATABASE_URL": f"sqlite:///{folder / 'portal.db'}",
        "SCHOOL_PORTAL_ORIGIN": made.address,
        "SCHOOL_PORTAL_CA_BUNDLE": str(folder / "bundle.pem"),
        "SCHOOL_PORTAL_CA_CRLS": str(folder / "crls.pem"),
    }
    seed(environment)
    (folder / "nginx.conf").write_text(configuration(made), encoding="utf-8")
    nginx = [NGINX, "-e", f"{folder}/start.log", "-p", str(folder), "-c", f"{folder}/nginx.conf"]
    subprocess.run([*nginx, "-t"], check=True)
    with (
        running_until_left(gunicorn(made), folder / "gunicorn.log", environment) as portal,
        running_until_left(nginx, folder / "nginx.log", {}) as proxy,
    ):
        wait_for(made, portal, proxy)
        yield made


@pytest.fixture
def records(site: Site) -> Iterator[Session]:
    """The database that the portal works on."""
    engine = sa.create_engine(f"sqlite:///{site.folder / 'portal.db'}")
    with Session(engine) as opened:
        yield opened
    engine.dispose()


def events(records: Session, action: str) -> list[dict[str, object]]:
    found = sa.select(AuditEvent.detail).where(AuditEvent.action == action)
    return list(records.scalars(found.order_by(AuditEvent.seq)))


def test_a_certificate_signs_in(site: Site, records: Session) -> None:
    web = site.web("good")
    page = web.get("/auth/sign-in?next=/school/rosters")
    assert BUTTON in page.text
    for name in ("Strict-Transport-Security", "Content-Security-Policy"):
        assert len(page.headers.get_all(name, [])) == 1, name
    answer = web.post(TLS, next="/school/rosters")
    assert (answer.status, answer.headers["Location"]) == (302, "/school/rosters")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-session=")
    assert "; Secure" in cookie
    assert "平台操作人员" in web.get("/school/rosters").text
    (told,) = events(records, "key-sign-in.tls")
    assert len(str(told["certificate"])) == 64
    assert told["crl_next_update"]


@pytest.mark.parametrize(
    ("name", "reason", "code"),
    [
        ("revoked", "已被吊销", "ca.revoked"),
        ("expired", "不在有效期内", "ca.expired"),
        ("untrusted", "不是由平台信任的机构签发", "ca.untrusted"),
        ("unknown", "没有登记在任何学校账户上", "ca.key-id-unknown"),
        ("approved", "尚未注册开户", "ca.account-not-open"),
    ],
)
def test_a_certificate_that_is_refused_and_why(
    site: Site, records: Session, name: str, reason: str, code: str
) -> None:
    answer = site.web(name).post(TLS)
    assert (answer.status, reason in answer.text) == (403, True)
    assert events(records, "key-sign-in.refuse")[-1] == {"code": code}
    assert "退出" not in answer.text
    opened = sa.select(School.opened_on).where(School.name == "示例新开户学校")
    assert records.scalars(opened).one() is None


def test_without_a_certificate_one_signs_in_with_a_password(site: Site) -> None:
    web = site.web()
    assert BUTTON not in web.get("/auth/sign-in").text
    assert "没有完好的客户端证书" in web.post(TLS).text
    assert web.post("/auth/sign-in", username="zhang", password=PASSWORD).status == 302
    assert "退出" in web.get("/school/").text


def test_the_header_counts_from_nginx_alone(site: Site) -> None:
    forged = {
        "X-SSL-Client-Cert": quote((site.folder / "good.pem").read_text().split("-----BEGIN P")[0])
    }
    for web in (site.web(), Web(f"http://127.0.0.1:{site.direct}")):
        assert BUTTON not in web.get("/auth/sign-in", **forged).text
    assert site.web().post(TLS, forged).status == 400


def test_no_session_is_resumed(site: Site) -> None:
    tls = context(site.folder / "good.pem")
    session = None
    for _ in range(2):
        with (
            socket.create_connection(("127.0.0.1", site.https)) as plain,
            tls.wrap_socket(plain, server_hostname="localhost", session=session) as wrapped,
        ):
            wrapped.sendall(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
            assert b"200 OK" in wrapped.recv(4096)
            session = wrapped.session
            assert not wrapped.session_reused


def test_what_nginx_answers_itself(site: Site) -> None:
    site.web().get("/auth/invitation/secret-token?q=secret-word")  # logged before the next answer
    plain = Web(f"http://localhost:{site.plain}")
    assert plain.get("/school/?a=1").headers["Location"] == "https://localhost/school/?a=1"
    with pytest.raises(OSError, match=r"(?i)unrecognized.name"):
        Web(f"https://127.0.0.1:{site.https}").get("/")
    sent = {"Content-Length": str(65 * 1024 * 1024)}
    large = site.web().post("/school/rosters", sent)
    assert (large.status, "文件太大" in large.text) == (413, True)
    assert large.headers["Content-Security-Policy"].startswith("default-src 'none'")
    log = (site.folder / "school-portal.log").read_text()
    assert "/auth/invitation/-" in log
    assert "secret" not in log
