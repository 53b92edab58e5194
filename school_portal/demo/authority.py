"""Certificates and CRLs of a demonstration CA, RSA and SM2, as DER."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from secrets import randbits
from typing import ClassVar, Protocol

import gmssl_pyx
from asn1crypto.algos import SignedDigestAlgorithm
from asn1crypto.core import (
    Integer,
    ObjectIdentifier,
    OctetBitString,
    OctetString,
    ParsableOctetString,
    Sequence,
    UTF8String,
)
from asn1crypto.crl import CertificateList, RevokedCertificate, TbsCertList, TBSCertListExtension
from asn1crypto.keys import PublicKeyInfo
from asn1crypto.x509 import (
    AuthorityKeyIdentifier,
    BasicConstraints,
    Certificate,
    Extension,
    ExtKeyUsageSyntax,
    KeyUsage,
    Name,
    TbsCertificate,
    Time,
)
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from school_portal.security.ca.keys import SM2_CURVE, SM2_USER_ID, SM2_WITH_SM3

_SM2_KEY = {"algorithm": "ec", "parameters": ("named", SM2_CURVE)}


class _Sm2PrivateKey(Sequence):
    """RFC 5915; asn1crypto's own does not know the curve's size."""

    _fields: ClassVar = [
        ("version", Integer),
        ("private_key", OctetString),
        ("curve", ObjectIdentifier, {"explicit": 0}),
        ("public_key", OctetBitString, {"explicit": 1}),
    ]


class Signer(Protocol):
    """A private key with its public half, and the algorithm that it signs by."""

    algorithm: SignedDigestAlgorithm

    @property
    def public(self) -> PublicKeyInfo: ...

    @property
    def entry(self) -> tuple[str, bytes]:
        """The private key as an entry of a PEM file: its label and DER."""

    def sign(self, message: bytes) -> bytes: ...


class RsaSigner:
    """RSA, PKCS #1 v1.5 with SHA-256."""

    algorithm = SignedDigestAlgorithm({"algorithm": "sha256_rsa"})

    def __init__(self, private: rsa.RSAPrivateKey | None = None, bits: int = 2048) -> None:
        self.private = private or rsa.generate_private_key(65537, bits)

    @cached_property
    def public(self) -> PublicKeyInfo:
        public = self.private.public_key()
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return PublicKeyInfo.load(public.public_bytes(serialization.Encoding.DER, form))

    @property
    def entry(self) -> tuple[str, bytes]:
        pkcs8 = serialization.PrivateFormat.PKCS8
        plain = serialization.NoEncryption()
        der = self.private.private_bytes(serialization.Encoding.DER, pkcs8, plain)
        return "PRIVATE KEY", der

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message, padding.PKCS1v15(), hashes.SHA256())


class Sm2Signer:
    """SM2 with SM3, the default user id."""

    algorithm = SignedDigestAlgorithm({"algorithm": SM2_WITH_SM3})

    def __init__(self, user_id: bytes = SM2_USER_ID) -> None:
        self.point, self.private = gmssl_pyx.sm2_key_generate()
        self.user_id = user_id

    @cached_property
    def public(self) -> PublicKeyInfo:
        return PublicKeyInfo({"algorithm": _SM2_KEY, "public_key": b"\x04" + self.point})

    @property
    def entry(self) -> tuple[str, bytes]:
        key = _Sm2PrivateKey(
            {
                "version": 1,
                "private_key": self.private,
                "curve": SM2_CURVE,
                "public_key": b"\x04" + self.point,
            }
        )
        return "EC PRIVATE KEY", key.dump()

    def sign(self, message: bytes) -> bytes:
        return gmssl_pyx.sm2_sign(self.private, self.point, message, self.user_id)


@dataclass(frozen=True)
class Issued:
    """A certificate and the key it is for."""

    certificate: Certificate
    signer: Signer

    @property
    def der(self) -> bytes:
        der: bytes = self.certificate.dump()
        return der


def extension(oid: str, value: bytes, *, critical: bool = False) -> Extension:
    """An extension with that value, taken as it is."""
    return Extension(
        {"extn_id": oid, "critical": critical, "extn_value": ParsableOctetString(value)}
    )


def for_a_ca(path_length: int | None = None) -> list[Extension]:
    constraints = BasicConstraints({"ca": True, "path_len_constraint": path_length})
    usage = KeyUsage({"key_cert_sign", "crl_sign"})
    return [
        extension("2.5.29.19", constraints.dump(), critical=True),
        extension("2.5.29.15", usage.dump(), critical=True),
    ]


def for_a_person(key_id: str, oid: str) -> list[Extension]:
    return [
        extension("2.5.29.15", KeyUsage({"digital_signature"}).dump(), critical=True),
        extension("2.5.29.37", ExtKeyUsageSyntax(["client_auth"]).dump()),
        extension(oid, UTF8String(key_id).dump()),
    ]


def issue(
    name: str | Name,
    signer: Signer,
    extensions: Iterable[Extension],
    begins: datetime,
    ends: datetime,
    issuer: Issued | None = None,
) -> Issued:
    """A certificate for the key under that (common) name; signed by itself without an issuer."""
    subject = name
    if isinstance(name, str):
        subject = Name.build({"country_name": "CN", "common_name": name})
    by = issuer.signer if issuer else signer
    tbs = TbsCertificate(
        {
            "version": "v3",
            "serial_number": randbits(120) | 1 << 119,
            "signature": by.algorithm,
            "issuer": issuer.certificate.subject if issuer else subject,
            "validity": {"not_before": _time(begins), "not_after": _time(ends)},
            "subject": subject,
            "subject_public_key_info": signer.public,
            "extensions": [*extensions, *_identifiers(signer, by)],
        }
    )
    certificate = Certificate(
        {
            "tbs_certificate": tbs,
            "signature_algorithm": by.algorithm,
            "signature_value": by.sign(tbs.dump()),
        }
    )
    return Issued(certificate, signer)


def _identifiers(signer: Signer, by: Signer) -> list[Extension]:
    """The subject's key and the issuer's, as RFC 5280 has them named."""
    issuer = AuthorityKeyIdentifier({"key_identifier": by.public.sha1})
    return [
        extension("2.5.29.14", OctetString(signer.public.sha1).dump()),
        extension("2.5.29.35", issuer.dump()),
    ]


def revoke(
    issuer: Issued,
    revoked: Iterable[Issued],
    begins: datetime,
    ends: datetime | None,
    extensions: Iterable[Extension] = (),
) -> bytes:
    """The issuer's CRL as DER."""
    signer = issuer.signer
    entries = [
        RevokedCertificate(
            {
                "user_certificate": one.certificate.serial_number,
                "revocation_date": _time(begins),
            }
        )
        for one in revoked
    ]
    tbs = TbsCertList(
        {
            "version": "v2",
            "signature": signer.algorithm,
            "issuer": issuer.certificate.subject,
            "this_update": _time(begins),
            "next_update": _time(ends) if ends else None,
            "revoked_certificates": entries or None,
            "crl_extensions": [TBSCertListExtension.load(one.dump()) for one in extensions] or None,
        }
    )
    crl: bytes = CertificateList(
        {
            "tbs_cert_list": tbs,
            "signature_algorithm": signer.algorithm,
            "signature": signer.sign(tbs.dump()),
        }
    ).dump()
    return crl


def _time(instant: datetime) -> Time:
    name = "utc_time" if instant.year < 2050 else "general_time"
    return Time(name=name, value=instant.astimezone(UTC).replace(microsecond=0))
