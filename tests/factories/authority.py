"""A CA of the tests with both kinds of key; and certificates that OpenSSL made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from asn1crypto.crl import IssuingDistributionPoint
from asn1crypto.pem import armor
from asn1crypto.x509 import Extension, Name

from school_portal.demo import authority
from school_portal.demo.authority import Issued, RsaSigner, Signer, Sm2Signer
from school_portal.security.ca.certificates import read_certificate
from school_portal.security.ca.crls import read_crl
from school_portal.security.ca.trust import Trust

NOW = datetime(2026, 10, 15, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)
OID = "1.2.156.112570.11.205"
KEY_ID = "1@SF310104200001010017"


def new_signer(kind: str) -> Signer:
    return Sm2Signer() if kind == "sm2" else spare_rsa()


@cache
def rsa_key(number: int) -> RsaSigner:
    return RsaSigner()


_made = iter(range(10**6))


def spare_rsa() -> RsaSigner:
    """An RSA key, one of a few: making one takes its time."""
    return rsa_key(next(_made) % 6)


class World:
    """A root, an intermediate, and their CRLs, of one kind of key."""

    def __init__(self, kind: str, root_kind: str | None = None) -> None:
        self.kind = kind
        self.root = self.ca("根", new_signer(root_kind or kind))
        self.middle = self.ca("中间", new_signer(kind), self.root)
        self.bundle = [self.root, self.middle]
        self.crls: list[bytes] | None = [
            authority.revoke(ca, [], NOW - DAY, NOW + DAY) for ca in self.bundle
        ]

    @staticmethod
    def ca(
        name: str | Name,
        signer: Signer,
        issuer: Issued | None = None,
        *,
        extensions: list[Extension] | None = None,
        begins: datetime = NOW - 100 * DAY,
        ends: datetime = NOW + 100 * DAY,
    ) -> Issued:
        given = authority.for_a_ca() if extensions is None else extensions
        return authority.issue(name, signer, given, begins, ends, issuer)

    def leaf(
        self,
        *,
        signer: Signer | None = None,
        extensions: list[Extension] | None = None,
        begins: datetime = NOW - DAY,
        ends: datetime = NOW + DAY,
        issuer: Issued | None = None,
    ) -> Issued:
        """A person's certificate, good where nothing is said."""
        given = authority.for_a_person(KEY_ID, OID) if extensions is None else extensions
        key = signer or new_signer(self.kind)
        return authority.issue("操作人员", key, given, begins, ends, issuer or self.middle)

    def trust(self) -> Trust:
        crls = None if self.crls is None else tuple(read_crl(der) for der in self.crls)
        return Trust(tuple(read_certificate(one.der) for one in self.bundle), crls)


def partition(**fields: Any) -> list[Extension]:
    """What makes a CRL one of a part of what its issuer issued."""
    point = IssuingDistributionPoint(fields).dump()
    return [authority.extension("2.5.29.28", point, critical=True)]


def pem(label: str, der: bytes) -> str:
    return armor(label, der).decode()


def bundle_text(*issued: Issued) -> str:
    return "".join(pem("CERTIFICATE", one.der) for one in issued)
