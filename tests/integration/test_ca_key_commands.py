"""A demonstration CA, a software key, and its agent: enough to sign in at the portal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread

import pytest
from click.testing import CliRunner

from school_portal.cli.root import school_portal
from school_portal.config import KEY_ID_OID
from school_portal.demo import soft_key
from school_portal.security.ca.certificates import certificate_bytes, read_certificate, unbase64
from school_portal.security.ca.trust import TrustFiles
from school_portal.security.ca.verification import verify

KEY_ID = "EXAMPLE@SF0001"
PIN = "a long pin"
ORIGIN = "http://127.0.0.1:8000"
MESSAGE = f"school-portal/v1\n{ORIGIN}\nsign-in\nAAAA"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SCHOOL_PORTAL_HOME", str(tmp_path / "home"))
    made = tmp_path / "ca"
    line = ["demo-ca", str(made), "--key-id", KEY_ID, "--format", "json"]
    done = CliRunner().invoke(school_portal, line)
    assert done.exit_code == 0, done.output
    assert len(json.loads(done.stdout)["files"]) == 6
    return made


def trust(folder: Path) -> TrustFiles:
    return TrustFiles(folder / "ca-bundle.pem", folder / "ca-crls.pem", KEY_ID_OID)


@pytest.fixture
def key_file(folder: Path, tmp_path: Path) -> Path:
    file = tmp_path / "key.p12"
    line = [
        "soft-key", "create", str(file), "--certificate", str(folder / "key-1-rsa.pem"),
        "--key", str(folder / "key-1-rsa.key"),
    ]  # fmt: skip
    done = CliRunner().invoke(school_portal, line, input=PIN + "\n")
    assert done.exit_code == 0, done.output
    return file


@pytest.fixture
def agent(key_file: Path) -> Iterator[soft_key.Agent]:
    made = soft_key.Agent(key_file.read_bytes(), [ORIGIN], 0)
    thread = Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def ask(agent: soft_key.Agent, document: object, **headers: str) -> tuple[int, dict[str, str]]:
    connection = HTTPConnection("127.0.0.1", agent.server_port, timeout=10)
    connection.request(
        "POST", "/sign", json.dumps(document).encode(), {"Origin": ORIGIN, **headers}
    )
    answer = connection.getresponse()
    found = answer.status, json.loads(answer.read())
    connection.close()
    return found


def test_what_is_made_is_for_the_owner_alone(folder: Path, key_file: Path) -> None:
    assert {path.stat().st_mode & 0o777 for path in [*folder.iterdir(), key_file]} == {0o600}


def test_a_folder_is_not_overwritten(folder: Path) -> None:
    done = CliRunner().invoke(school_portal, ["demo-ca", str(folder)])
    assert done.exit_code == 1
    assert "另选一个目录" in done.output


def test_certificates_of_both_kinds_are_trusted(folder: Path) -> None:
    held = trust(folder).read()
    for kind in ("rsa", "sm2"):
        text = (folder / f"key-1-{kind}.pem").read_text()
        certificate = read_certificate(certificate_bytes(text))
        assert certificate.key.name == kind
        assert any(certificate.is_issued_by(ca) for ca in held.bundle)
        assert (folder / f"key-1-{kind}.key").read_text().startswith("-----BEGIN ")


def test_the_agent_signs_what_the_portal_accepts(folder: Path, agent: soft_key.Agent) -> None:
    status, answer = ask(agent, {"pin": PIN, "message": MESSAGE})
    assert status == 200
    certificate = read_certificate(unbase64(answer["certificate"]))
    files, signature = trust(folder), unbase64(answer["signature"])
    now = datetime.now(UTC)
    found = verify(certificate, signature, [MESSAGE], files.read(), files.key_id_oid, now)
    assert found.key_id == KEY_ID


@pytest.mark.parametrize(
    "document, headers, status",
    [
        ({"pin": PIN, "message": MESSAGE}, {"Origin": "http://other"}, 403),
        ({"pin": PIN, "message": MESSAGE}, {"Host": "localhost.example:1"}, 403),
        ({"pin": "wrong one", "message": MESSAGE}, {}, 403),
        ({"pin": PIN, "message": "a cheque"}, {}, 400),
        ({"pin": PIN, "message": MESSAGE.replace(":8000", "")}, {}, 400),
        ({"pin": 7, "message": MESSAGE}, {}, 400),
        ({"pin": PIN, "message": MESSAGE + "\ud800"}, {}, 400),
        ([], {}, 400),
        ({"pin": PIN, "message": MESSAGE, "more": "A" * 20_000}, {}, 400),
    ],
)
def test_the_agent_signs_nothing_else(
    agent: soft_key.Agent, document: object, headers: dict[str, str], status: int
) -> None:
    assert ask(agent, document, **headers)[0] == status


def test_five_wrong_pins_close_the_key(agent: soft_key.Agent) -> None:
    for _ in range(soft_key.TRIES):
        assert ask(agent, {"pin": "wrong one", "message": MESSAGE})[0] == 403
    assert ask(agent, {"pin": PIN, "message": MESSAGE})[0] == 403


def test_a_key_of_another_certificate_is_refused(folder: Path, tmp_path: Path) -> None:
    pem, key = (folder / name for name in ("key-1-sm2.pem", "key-1-rsa.key"))
    with pytest.raises(ValueError, match="与证书相符"):
        soft_key.pack(pem.read_bytes(), key.read_bytes(), PIN)
