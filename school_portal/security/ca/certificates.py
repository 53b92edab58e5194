"""A certificate read once into what is judged of it; whatever is malformed ends here."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from asn1crypto.core import BMPString, UniversalString
from asn1crypto.x509 import Certificate as Asn1Certificate
from asn1crypto.x509 import DistributionPointName

from school_portal.security.ca.keys import (
    Algorithm,
    PublicKey,
    issued,
    read_algorithm,
    read_key,
)

_ENTRY = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----\s([^-]*)-----END \1-----")
MAX_SIZE = 16 * 1024  # bytes of DER
# The extensions judged here, or harmless; a critical one beside them is not understood.
_UNDERSTOOD = frozenset(
    {
        "authority_key_identifier",
        "basic_constraints",
        "certificate_policies",
        "crl_distribution_points",
        "extended_key_usage",
        "key_identifier",
        "key_usage",
        "subject_alt_name",
    }
)
_READ = ("basic_constraints", "crl_distribution_points", "extended_key_usage", "key_usage")


class Malformed(ValueError):
    """This is no certificate or CRL; the text says nothing of its content."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is judged of a certificate; its names are for comparing (see `folded`)."""

    der: bytes
    tbs: bytes
    algorithm: Algorithm | None
    signature: bytes
    subject: str
    issuer: str
    serial: int
    not_before: datetime
    not_after: datetime
    key: PublicKey
    is_ca: bool
    path_length: int | None
    key_usage: frozenset[str] | None  # None: no such extension
    extended_key_usage: frozenset[str] | None
    crl_points: frozenset[bytes]  # where its issuer's own CRLs are: general names as DER
    extensions: dict[str, bytes]  # value by dotted OID
    critical_unknown: frozenset[str]  # dotted OIDs

    @property
    def name(self) -> str:
        """The subject's name as people read it, the common name first."""
        parts = [one for name in Asn1Certificate.load(self.der).subject.chosen for one in name]
        return "，".join(_shown(one["value"]) for one in reversed(parts))

    @property
    def fingerprint(self) -> bytes:
        """SHA-256 of the DER."""
        return sha256(self.der).digest()

    @property
    def is_self_issued(self) -> bool:
        return self.subject == self.issuer

    @property
    def is_root(self) -> bool:
        """Whether its own key signed it (what is trusted of it, RFC 5280, 6.1.1 d, is no more)."""
        signed = (self.key, self.algorithm, self.tbs, self.signature)
        return self.is_self_issued and issued(*signed, itself=True)

    def is_issued_by(self, other: Certificate) -> bool:
        """Whether the other's name and key are those of this one's issuer."""
        return self.issuer == other.subject and issued(
            other.key, self.algorithm, self.tbs, self.signature
        )

    def allows(self, usage: str) -> bool:
        """Whether its key may be used so; a CA without the extension may (RFC 5280, 4.2.1.3)."""
        return self.key_usage is None or usage in self.key_usage


def read_certificate(der: bytes) -> Certificate:
    """Raises Malformed."""
    if len(der) > MAX_SIZE:
        raise Malformed("too long for a certificate")
    try:
        return _read(Asn1Certificate.load(der, strict=True), der)
    except Malformed:
        raise
    except Exception as error:  # asn1crypto parses late, and fails in many ways
        raise Malformed(type(error).__name__) from None


def _read(parsed: Any, der: bytes) -> Certificate:
    tbs = parsed["tbs_certificate"]
    algorithm = parsed["signature_algorithm"]
    if tbs["signature"].dump() != algorithm.dump():
        raise Malformed("two signature algorithms")
    if parsed["signature_value"].contents[:1] != b"\0":
        raise Malformed("a signature of odd bits")
    found, unknown = _extensions(tbs["extensions"])
    constraints = found.get("basic_constraints")
    validity = tbs["validity"]
    return Certificate(
        der=der,
        tbs=tbs.dump(),
        algorithm=read_algorithm(algorithm),
        signature=parsed["signature_value"].native,
        subject=folded(tbs["subject"]),
        issuer=folded(tbs["issuer"]),
        serial=tbs["serial_number"].native,
        not_before=_instant(validity["not_before"].native),
        not_after=_instant(validity["not_after"].native),
        key=read_key(tbs["subject_public_key_info"]),
        is_ca=bool(constraints and constraints["ca"].native),
        path_length=constraints["path_len_constraint"].native if constraints else None,
        key_usage=_names(found.get("key_usage")),
        extended_key_usage=_names(found.get("extended_key_usage")),
        crl_points=_crl_points(found.get("crl_distribution_points"), folded(tbs["issuer"])),
        extensions={one["extn_id"].dotted: bytes(one["extn_value"]) for one in tbs["extensions"]},
        critical_unknown=frozenset(unknown),
    )


def _extensions(extensions: Any) -> tuple[dict[str, Any], list[str]]:
    """The values of those understood, by name, and the OIDs of critical ones that are not."""
    found: dict[str, Any] = {}
    unknown, seen = [], set()
    for one in extensions:
        name, oid = one["extn_id"].native, one["extn_id"].dotted
        if oid in seen:
            raise Malformed("one extension twice")
        seen.add(oid)
        if name in _READ:
            found[name] = one["extn_value"].parsed
        elif name not in _UNDERSTOOD and one["critical"].native:
            unknown.append(oid)
    return found, unknown


def folded(name: Any) -> str:
    """A name as RFC 5280 compares it; one whose texts cannot be read counts by its bytes.

    Some authorities write UTF-8 into a TeletexString, or GBK into an IA5String.
    """
    try:
        return str(name.hashable)
    except ValueError:  # UnicodeDecodeError, and characters newer than the folding's tables
        return f"der: {name.dump().hex()}"


def _shown(value: Any) -> str:
    """A text of a name, whatever its type says of the bytes."""
    string = getattr(value, "chosen", value)
    encodings = ("utf-16-be",) if isinstance(string, BMPString) else ("utf-8", "gb18030")
    encodings = ("utf-32-be",) if isinstance(string, UniversalString) else encodings
    for encoding in encodings:
        try:
            return string.contents.decode(encoding)
        except UnicodeDecodeError:
            continue
    return string.contents.hex()


def full_names(name: Any) -> frozenset[bytes]:
    """The general names of a distribution point as DER: certificate and CRL encode them alike
    (RFC 5280, 5.2.5). None where it has none, or one relative to the issuer."""
    is_full = isinstance(name, DistributionPointName) and name.name == "full_name"
    return frozenset(one.dump() for one in name.chosen) if is_full else frozenset()


def _crl_points(points: Any, issuer: str) -> frozenset[bytes]:
    """The names of those for all reasons, with no other issuer's CRLs (RFC 5280, 4.2.1.13)."""
    found = [
        full_names(one["distribution_point"])
        for one in points or ()
        if one["reasons"].native is None and _is_by(one["crl_issuer"], issuer)
    ]
    return frozenset().union(*found)


def _is_by(names: Any, issuer: str) -> bool:
    """Whether these names of a CRL's issuer, where there are any, name that one."""
    directory = [folded(one.chosen) for one in names if one.name == "directory_name"]
    return not len(names) or issuer in directory


def _names(value: Any) -> frozenset[str] | None:
    return None if value is None else frozenset(value.native)


def _instant(value: object) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise Malformed("no instant")
    return value


def certificate_bytes(text: str) -> bytes:
    """The DER of one certificate given as PEM or in base64. Raises Malformed."""
    if "-----BEGIN" not in text:
        return unbase64(text)
    blocks = pem_blocks(text.encode("utf-8", "replace"), "CERTIFICATE")
    if len(blocks) != 1:
        raise Malformed("not one certificate")
    return blocks[0]


def pem_blocks(content: bytes, label: str) -> list[bytes]:
    """The DER of all entries with that label, whatever stands between. Raises Malformed."""
    text = content.decode("utf-8", "replace")
    entries = _ENTRY.findall(text)
    if len(entries) != text.count("-----BEGIN "):
        raise Malformed("an entry without its end")
    return [unbase64(body) for name, body in entries if name == label]


def unbase64(text: str) -> bytes:
    """Strict base64, broken into lines or not. Raises Malformed."""
    try:
        return base64.b64decode(re.sub(r"[ \t\r\n]", "", text), validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("no base64") from None
