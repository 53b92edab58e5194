"""The portal behind a real nginx, configured and started as docs/deploy has it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.models import AuditEvent, School
from tests.factories.deployment import (
    NEWCOMER,
    Site,
    configuration,
    free_ports,
    gunicorn,
    make_certificates,
    running_until_left,
    seed,
    wait_for,
)
from tests.factories.visitor import PASSWORD
from tests.factories.web import Web, context

NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
pytestmark = pytest.mark.skipif(
    NGINX is None and os.environ.get("CI") != "true",
    reason="没有 nginx：apt-get install nginx-light",
)
BUTTON, TLS = "用这个证书登录", "/auth/ca/tls"


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
    assert "张老师" in web.get("/school/rosters").text
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
    opened = sa.select(School.opened_on).where(School.name == NEWCOMER)
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
