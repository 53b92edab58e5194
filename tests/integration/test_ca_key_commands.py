"""A demonstration CA, a software key, and its agent: enough to sign in at the portal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates

from school_portal.cli.root import school_portal
from school_portal.config import KEY_ID_OID
from school_portal.demo import keys, soft_key
from school_portal.demo.operation import KEYS
from school_portal.security.ca.certificates import certificate_bytes, read_certificate, unbase64
from school_portal.security.ca.trust import TrustFiles
from school_portal.security.ca.verification import verify

KEY_ID = "EXAMPLE@SF0001"
PIN, NAME = "a long pin", "key"
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
    made = soft_key.Agent({NAME: key_file.read_bytes()}, [ORIGIN], 0)
    thread = Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


UNLOCK = {"key": NAME, "pin": PIN}
SIGN = {**UNLOCK, "message": MESSAGE}


def ask(
    agent: soft_key.Agent, document: object, path: str = "/sign", **headers: str
) -> tuple[int, dict[str, Any]]:
    """POSTs the document, or GETs without one."""
    connection = HTTPConnection("127.0.0.1", agent.server_port, timeout=10)
    body = None if document is None else json.dumps(document).encode()
    connection.request("POST" if body else "GET", path, body, {"Origin": ORIGIN, **headers})
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
    assert ask(agent, None, "/keys") == (200, {"keys": [{"id": NAME, "name": NAME}]})
    certificate = read_certificate(unbase64(ask(agent, UNLOCK, "/certificate")[1]["certificate"]))
    files, signature = trust(folder), unbase64(ask(agent, SIGN)[1]["signature"])
    now = datetime.now(UTC)
    found = verify(certificate, signature, [MESSAGE], files.read(), files.key_id_oid, now)
    assert found.key_id == KEY_ID


@pytest.mark.parametrize(
    "path, document, headers, status",
    [
        ("/keys", None, {"Origin": "http://other"}, 403),
        ("/", None, {}, 400),
        ("/certificate", UNLOCK, {"Origin": "http://other"}, 403),
        ("/certificate", {**UNLOCK, "pin": "wrong one"}, {}, 403),
        ("/certificate", {**UNLOCK, "key": "another"}, {}, 400),
        ("/other", SIGN, {}, 400),
        ("/sign", SIGN, {"Origin": "http://other"}, 403),
        ("/sign", SIGN, {"Host": "localhost.example:1"}, 403),
        ("/sign", {**SIGN, "pin": "wrong one"}, {}, 403),
        ("/sign", UNLOCK, {}, 400),
        ("/sign", {**SIGN, "message": "a cheque"}, {}, 400),
        ("/sign", {**SIGN, "message": MESSAGE.replace(":8000", "")}, {}, 400),
        ("/sign", {**SIGN, "pin": 7}, {}, 400),
        ("/sign", {**SIGN, "message": MESSAGE + "\ud800"}, {}, 400),
        ("/sign", [], {}, 400),
        ("/sign", {**SIGN, "more": "A" * 20_000}, {}, 400),
    ],
)
def test_the_agent_answers_nothing_else(
    agent: soft_key.Agent, path: str, document: object, headers: dict[str, str], status: int
) -> None:
    assert ask(agent, document, path, **headers)[0] == status


def test_five_wrong_pins_close_the_key(agent: soft_key.Agent) -> None:
    for _ in range(soft_key.TRIES):
        assert ask(agent, {**SIGN, "pin": "wrong one"})[0] == 403
    assert ask(agent, SIGN)[0] == 403


def test_a_key_of_another_certificate_is_refused(folder: Path, tmp_path: Path) -> None:
    pem, key = (folder / name for name in ("key-1-sm2.pem", "key-1-rsa.key"))
    with pytest.raises(ValueError, match="与证书相符"):
        soft_key.pack(pem.read_bytes(), key.read_bytes(), PIN)


def test_the_demonstration_has_a_key_for_each_school(tmp_path: Path) -> None:
    folder, now = tmp_path / "ca", datetime.now(UTC)
    keys.make(folder, now)
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    keys.make(folder, now)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == kept
    for name, key_id in KEYS.items():
        private, holder, _ = load_key_and_certificates(kept[f"{name}.p12"], keys.PIN.encode())
        assert isinstance(private, RSAPrivateKey)
        assert holder is not None
        signature = private.sign(MESSAGE.encode(), PKCS1v15(), SHA256())
        certificate = read_certificate(holder.public_bytes(Encoding.DER))
        found = verify(certificate, signature, [MESSAGE], trust(folder).read(), KEY_ID_OID, now)
        assert found.key_id == key_id
