"""A demonstration CA in a folder: what the portal trusts, and certificates for schools' keys."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from asn1crypto.pem import armor

from school_portal.demo.authority import (
    Issued,
    RsaSigner,
    Signer,
    Sm2Signer,
    for_a_ca,
    for_a_person,
    issue,
    revoke,
)

BUNDLE, CRLS = "ca-bundle.pem", "ca-crls.pem"
VALID = timedelta(days=365)
_KINDS: dict[str, type[RsaSigner] | type[Sm2Signer]] = {"rsa": RsaSigner, "sm2": Sm2Signer}


def make(folder: Path, key_ids: Iterable[str], oid: str, now: datetime) -> Iterator[Path]:
    """Writes bundle, CRLs and, for each keyID, an RSA and an SM2 certificate with its key.

    The CA's own keys are not kept: nothing can be issued later. Valid for a year.
    Raises OSError, FileExistsError where one of the files is there already.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    begins, ends = now - timedelta(hours=1), now + VALID

    def issued(name: str, signer: Signer, issuer: Issued | None = None) -> Issued:
        return issue(name, signer, for_a_ca(), begins, ends, issuer)

    roots = {kind: issued(f"示例 {kind} 根", signer()) for kind, signer in _KINDS.items()}
    issuers = {
        kind: issued(f"示例 {kind} 签发", signer(), roots[kind]) for kind, signer in _KINDS.items()
    }
    cas = [*roots.values(), *issuers.values()]
    yield _write(folder / BUNDLE, *(("CERTIFICATE", ca.der) for ca in cas))
    yield _write(folder / CRLS, *(("X509 CRL", revoke(ca, (), begins, ends)) for ca in cas))
    for number, key_id in enumerate(key_ids, 1):
        extensions = for_a_person(key_id, oid)
        for kind, signer in _KINDS.items():
            leaf = issue("示例操作人员", signer(), extensions, begins, ends, issuers[kind])
            name = f"key-{number}-{kind}"
            yield _write(folder / f"{name}.pem", ("CERTIFICATE", leaf.der))
            yield _write(folder / f"{name}.key", leaf.signer.entry)


def _write(path: Path, *entries: tuple[str, bytes]) -> Path:
    """A new file for the owner alone."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        for label, der in entries:
            file.write(armor(label, der))
    return path
