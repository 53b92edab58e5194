"""Certificate revocation lists of one issuer, complete or partitioned by distribution points.

Delta and indirect ones, and those of some reasons only, count for nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asn1crypto.core import Void
from asn1crypto.crl import CertificateList
from asn1crypto.x509 import Name
from cryptography import x509

from school_portal.security.ca.certificates import Certificate, Malformed, folded, full_names
from school_portal.security.ca.keys import Algorithm, issued, read_algorithm

_UNDERSTOOD = frozenset({"authority_key_identifier", "crl_number", "issuing_distribution_point"})
_NOT_ACCEPTED = ("only_some_reasons", "indirect_crl", "only_contains_attribute_certs")


@dataclass(frozen=True, slots=True)
class Scope:
    """Which of the issuer's certificates a CRL is for (RFC 5280, 5.2.5)."""

    points: frozenset[bytes] | None = None  # general names as DER; None: all of them
    only_users: bool = False
    only_cas: bool = False

    def covers(self, certificate: Certificate) -> bool:
        """RFC 5280, 6.3.3 b 2."""
        is_of_kind = not (self.only_users if certificate.is_ca else self.only_cas)
        return is_of_kind and (self.points is None or bool(self.points & certificate.crl_points))


@dataclass(frozen=True, slots=True)
class RevocationList:
    """A CRL as read; whose it is, its signature says."""

    issuer: str
    tbs: bytes
    algorithm: Algorithm | None
    signature: bytes
    this_update: datetime
    next_update: datetime | None
    scope: Scope | None  # None: counts for nobody
    entries: x509.CertificateRevocationList

    def is_issued_by(self, issuer: Certificate) -> bool:
        return (
            self.scope is not None
            and self.issuer == issuer.subject
            and issuer.allows("crl_sign")
            and issued(issuer.key, self.algorithm, self.tbs, self.signature)
        )

    def covers(self, certificate: Certificate) -> bool:
        """Whether it would list that certificate, were it its issuer's and revoked."""
        return self.scope is not None and self.scope.covers(certificate)

    def is_fresh(self, at: datetime) -> bool:
        """Within its dates; one without an end never is."""
        return self.next_update is not None and self.this_update <= at <= self.next_update

    def revokes(self, certificate: Certificate) -> bool:
        """Listed, for whatever reason, on hold too."""
        return self.entries.get_revoked_certificate_by_serial_number(certificate.serial) is not None


def read_crl(der: bytes) -> RevocationList:
    """Raises Malformed."""
    try:
        parsed = CertificateList.load(der, strict=True)
        entries = _entries(der)
        return RevocationList(
            issuer=folded(parsed["tbs_cert_list"]["issuer"]),
            tbs=parsed["tbs_cert_list"].dump(),
            algorithm=read_algorithm(parsed["signature_algorithm"]),
            signature=parsed["signature"].native,
            this_update=entries.last_update_utc,
            next_update=entries.next_update_utc,
            scope=_scope(parsed),
            entries=entries,
        )
    except Exception as error:  # both parsers fail in many ways
        raise Malformed(type(error).__name__) from None


def _entries(der: bytes) -> x509.CertificateRevocationList:
    try:
        return x509.load_der_x509_crl(der)
    except ValueError:
        # Once more without the issuer's name, whose letters may be none of its type.
        parsed = CertificateList.load(der, strict=True)
        parsed["tbs_cert_list"]["issuer"] = Name.build({})
        return x509.load_der_x509_crl(parsed.dump())


def _scope(parsed: Any) -> Scope | None:
    """None for delta, indirect and reason-limited lists, and for what is not understood."""
    kinds = [
        (one["extn_id"].native, one["critical"].native)
        for one in parsed["tbs_cert_list"]["crl_extensions"]
    ]
    if len({name for name, _ in kinds}) < len(kinds):
        raise Malformed("one extension twice")
    if any(
        name == "delta_crl_indicator" or (critical and name not in _UNDERSTOOD)
        for name, critical in kinds
    ):
        return None
    point = parsed.issuing_distribution_point_value
    if point is None:
        return Scope()
    given, names = point["distribution_point"], full_names(point["distribution_point"])
    if any(point[one].native not in (None, False) for one in _NOT_ACCEPTED):
        return None
    if not names and not isinstance(given, Void):
        return None
    only = (point[one].native for one in ("only_contains_user_certs", "only_contains_ca_certs"))
    return Scope(names or None, *only)


def newest_of(
    issuer: Certificate, lists: Iterable[RevocationList], at: datetime
) -> list[RevocationList]:
    """The issuer's latest list of each scope, the one in force where there is one; latest first."""
    found: dict[Scope | None, RevocationList] = {}
    for one in sorted(lists, key=lambda one: (one.this_update <= at, one.this_update))[::-1]:
        if one.scope not in found and one.is_issued_by(issuer):
            found[one.scope] = one
    return list(found.values())
