"""Certificates, CRLs and signatures that OpenSSL made."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from school_portal.security.ca.certificates import certificate_bytes, read_certificate
from school_portal.security.ca.trust import TrustFiles
from school_portal.security.ca.verification import CaRefused, Verified, verify

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl (apt: openssl)")

OID = "1.2.156.112570.11.205"
MESSAGE = "school-portal/v1\nhttp://localhost\nsign-in\nAAAA"
CONFIG = f"""
[ca]
default_ca = here
[here]
database = index
new_certs_dir = .
serial = serial
default_md = sha256
default_crl_days = 7
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
[person]
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
{OID} = ASN1:IA5STRING:KEY@SF1
"""
USER_ID = "1234567812345678"


class OpenSsl:
    """One CA in a folder, with one person's certificate."""

    def __init__(self, folder: Path, kind: str, cert_id: str = USER_ID) -> None:
        self.folder, self.sm2, self.cert_id = folder, kind == "sm2", cert_id
        (folder / "cnf").write_text(CONFIG)
        (folder / "index").write_text("")
        (folder / "serial").write_text("01")
        self.key("root")
        self.key("person")
        self.run(
            "req -x509 -new -key root.key -subj /CN=root -days 30 -extensions root -config cnf"
            " -out root.pem", self.signed(),
        )  # fmt: skip
        self.run(
            "req -new -key person.key -subj /CN=person -config cnf -out person.csr", self.signed()
        )
        verified = f" -vfyopt distid:{cert_id}" if self.sm2 and cert_id else ""
        self.run(
            "x509 -req -in person.csr -CA root.pem -CAkey root.key -days 7 -set_serial 7"
            f" -extfile cnf -extensions person -out person.pem{verified}", self.signed(),
        )  # fmt: skip
        if not self.sm2:
            self.run("ca -gencrl -config cnf -cert root.pem -keyfile root.key -out crl.pem")

    def run(self, line: str, more: str = "") -> None:
        done = subprocess.run(
            ["openssl", *line.split(), *more.split()],
            cwd=self.folder,
            capture_output=True,
            check=False,
            text=True,
        )
        assert done.returncode == 0, done.stderr

    def key(self, name: str) -> None:
        kind = "SM2" if self.sm2 else "RSA"
        self.run(f"genpkey -algorithm {kind} -out {name}.key")

    def signed(self) -> str:
        if not self.sm2:
            return "-sha256"
        return "-sm3" + (f" -sigopt distid:{self.cert_id}" if self.cert_id else "")

    def judged(self, options: str) -> Verified:
        (self.folder / "message").write_bytes(MESSAGE.encode())
        self.run(f"pkeyutl -sign -rawin -inkey person.key -in message -out signature {options}")
        certificate = read_certificate(certificate_bytes((self.folder / "person.pem").read_text()))
        crls = None if self.sm2 else self.folder / "crl.pem"
        trust = TrustFiles(self.folder / "root.pem", crls, OID).read()
        signature = (self.folder / "signature").read_bytes()
        return verify(certificate, signature, [MESSAGE], trust, OID, datetime.now(UTC))


@pytest.mark.parametrize(
    "kind, options",
    [
        ("rsa", "-digest sha256"),
        ("rsa", "-digest sha256 -pkeyopt rsa_padding_mode:pss -pkeyopt rsa_pss_saltlen:-1"),
        ("sm2", f"-digest sm3 -pkeyopt distid:{USER_ID}"),
    ],
)
def test_the_good_ones(tmp_path: Path, kind: str, options: str) -> None:
    assert OpenSsl(tmp_path, kind).judged(options).key_id == "KEY@SF1"


@pytest.mark.parametrize(
    "kind, cert_id, options, code",
    [
        ("rsa", "", "-digest sha1", "ca.signature"),
        ("sm2", USER_ID, "-digest sm3", "ca.signature"),  # OpenSSL's default: an empty user id
        ("sm2", USER_ID, "-digest sm3 -pkeyopt distid:1234", "ca.signature"),
        ("sm2", "", f"-digest sm3 -pkeyopt distid:{USER_ID}", "ca.untrusted"),
    ],
)
def test_the_others(tmp_path: Path, kind: str, cert_id: str, options: str, code: str) -> None:
    with pytest.raises(CaRefused) as told:
        OpenSsl(tmp_path, kind, cert_id).judged(options)
    assert told.value.code == code


def test_a_root_may_be_as_old_as_its_hash(tmp_path: Path) -> None:
    """Whom the bundle names is trusted; what such a root issues takes SHA-256 all the same."""
    made = OpenSsl(tmp_path, "rsa")
    made.run(
        "req -x509 -new -key root.key -subj /CN=root -days 30 -extensions root -config cnf"
        " -out root.pem -sha1"
    )
    assert made.judged("-digest sha256").key_id == "KEY@SF1"
    made.run(
        "x509 -req -in person.csr -CA root.pem -CAkey root.key -days 7 -set_serial 7"
        " -extfile cnf -extensions person -out person.pem -sha1"
    )
    with pytest.raises(CaRefused, match=r"ca\.untrusted"):
        made.judged("-digest sha256")
