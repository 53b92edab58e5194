"""The portal and nginx as docs/deploy has them, on addresses and files of a test's own."""

from __future__ import annotations

import getpass
import os
import shlex
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

from school_portal.app import build
from school_portal.config import read
from school_portal.demo import authority
from school_portal.demo.authority import Issued, RsaSigner, Sm2Signer
from school_portal.domain.account import AccountState
from school_portal.extensions import db
from school_portal.models import SchoolAccount
from tests.factories.authority import DAY, KEY_ID, OID, bundle_text, pem, spare_rsa
from tests.factories.operation import a_school, running
from tests.factories.visitor import user
from tests.factories.web import Web

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "docs" / "deploy"
START_SECONDS = 60
APPROVED, UNKNOWN = "1@SF310104200001010025", "1@SF310104200001010033"
NEWCOMER = "示例新开户学校"


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
        approved = a_school(9, NEWCOMER)
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
