"""Receipts: the file, verified by the command without a database, changed and forged ones."""

from __future__ import annotations

import json
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session

from school_portal.config import Settings, read
from school_portal.demo.authority import Issued
from school_portal.models import SignedSubmission
from school_portal.security import receipts
from school_portal.security.ca.certificates import read_certificate
from school_portal.security.canonical import canonical
from school_portal.services import group_submission, receipt_files, signed_papers
from school_portal.services.portal import Portal
from tests.factories.authority import KEY_ID, World, bundle_text
from tests.factories.operation import resident_id
from tests.factories.signing import Signers, ca_settings, signers


@pytest.fixture
def world(request: pytest.FixtureRequest) -> World:
    return World(getattr(request, "param", "sm2"))


@pytest.fixture
def settings(environment: dict[str, str], tmp_path: Path, world: World) -> Settings:
    return read({**environment, **ca_settings(tmp_path, world)})


@pytest.fixture
def desk(session: Session, portal: Portal, world: World) -> Signers:
    return signers(session, portal, world)


def submitted(desk: Signers) -> SignedSubmission:
    draft = desk.drafts(desk.operation.school, 1, 2)[0]
    signed = desk.signed(desk.message(draft))
    at = desk.portal.clock()
    group_submission.submit(desk.session, desk.portal, desk.actor, draft, signed, at)
    desk.session.commit()
    (made,) = signed_papers.of(desk.session, draft.uid)
    return made


@pytest.fixture
def document(desk: Signers) -> dict[str, Any]:
    return receipt_files.document(desk.session, desk.portal, submitted(desk), "TB2026000001")


def findings(document: dict[str, Any], *trusted: Issued) -> dict[str, bool | None]:
    bundle = [read_certificate(one.der) for one in trusted] or None
    return {one.name: one.holds for one in receipts.check(canonical(document), bundle)}


ALL_WELL = dict.fromkeys(
    ("format", "content", "message", "signature", "certificate", "revocation", "portal"), True
)


@pytest.mark.parametrize("world", ["sm2", "rsa"], indirect=True)
def test_a_receipt_shows_by_itself_what_was_signed(document: dict[str, Any], world: World) -> None:
    assert findings(document, *world.bundle) == ALL_WELL
    assert findings(document, world.root) == ALL_WELL  # it brings the intermediate
    assert findings(document) == {**ALL_WELL, "certificate": None}
    assert findings(document, *World("sm2").bundle) == {**ALL_WELL, "certificate": False}
    text = canonical(document).decode()
    assert resident_id(1) not in text and KEY_ID not in text


def test_a_receipt_changed_by_one_byte_does_not_hold(
    document: dict[str, Any], world: World
) -> None:
    bundle = [read_certificate(one.der) for one in world.bundle]
    file = canonical(document)
    for place in range(0, len(file), 101):
        changed = bytearray(file)
        changed[place] ^= 1
        found = receipts.check(bytes(changed), bundle)
        assert any(one.holds is False for one in found), place


def resealed(document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Somebody else's seal over a changed receipt: only the signature stands against it."""
    told = {**document, **changes}
    del told["portal"]
    key = Ed25519PrivateKey.generate()
    seal = {"key": key.public_key().public_bytes_raw(), "value": key.sign(canonical(told))}
    return {**told, "portal": {name: b64encode(one).decode() for name, one in seal.items()}}


def test_a_forged_receipt_fails_where_it_was_forged(document: dict[str, Any], world: World) -> None:
    content = {**document["content"], "number": "TB2026999999"}
    forged = resealed(document, content=content)
    assert findings(forged, *world.bundle) == {**ALL_WELL, "content": False}

    signature = document["signature"]
    text = signature["message"].replace("submit", "sign-in")
    forged = resealed(document, signature={**signature, "message": text})
    assert findings(forged, *world.bundle) == {
        **ALL_WELL,
        "message": False,
        "signature": False,
        "certificate": None,
    }
    forged = resealed(document, arrived_at="2027-10-15T10:00:00+08:00")
    assert findings(forged, *world.bundle) == {
        **ALL_WELL,
        "certificate": False,
        "revocation": False,
    }


def test_revocation_that_was_not_known(desk: Signers, world: World) -> None:
    submission = submitted(desk)
    submission.signature.crl_this_update = submission.signature.crl_next_update = None
    document = receipt_files.document(desk.session, desk.portal, submission, "TB2026000001")
    assert findings(document, *world.bundle) == {**ALL_WELL, "revocation": None}


@pytest.mark.parametrize("file", [b"", b"{}", b"[]", b"\xff", b"[" * 9999, b" " * 5_000_000])
def test_what_is_no_receipt(file: bytes) -> None:
    assert [(one.name, one.holds) for one in receipts.check(file, None)] == [("format", False)]


def command(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """The command as somebody runs it who has no portal: an empty folder, no settings."""
    code = "from school_portal.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "verify-receipt", *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "LANG": "C.UTF-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_the_command_needs_no_portal(
    document: dict[str, Any], world: World, tmp_path: Path
) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "receipt.json").write_bytes(canonical(document))
    (folder / "ca.pem").write_text(bundle_text(*world.bundle))
    good = ("receipt.json", "--ca-bundle", "ca.pem")
    status, out, _ = command(folder, *good, "--format", "json")
    told = json.loads(out)
    assert (status, told["holds"]) == (0, True)
    assert {one["name"]: one["holds"] for one in told["checks"]} == ALL_WELL
    assert "回执没有发现问题" in command(folder, *good)[1]
    assert {one.name for one in folder.iterdir()} == {"receipt.json", "ca.pem"}

    content = canonical(document).replace("学生1".encode(), "学生9".encode())
    (folder / "receipt.json").write_bytes(content)
    status, out, _ = command(folder, *good, "--format", "json")
    assert (status, json.loads(out)["holds"]) == (1, False)
    (folder / "ca.pem").write_text("nothing")
    status, _, err = command(folder, *good)
    assert status == 1 and "PEM" in err and "Traceback" not in err
    assert command(folder, "nowhere.json")[0] == 2
