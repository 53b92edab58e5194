"""Certificate revocation lists: complete ones of one issuer; delta and indirect ones are not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from asn1crypto.crl import CertificateList
from cryptography import x509

from school_portal.security.ca.certificates import Certificate, Malformed
from school_portal.security.ca.keys import Algorithm, issued, read_algorithm

_UNDERSTOOD = (x509.AuthorityKeyIdentifier, x509.CRLNumber)


@dataclass(frozen=True, slots=True)
class RevocationList:
    """A CRL as read; whose it is, its signature says."""

    issuer: str
    tbs: bytes
    algorithm: Algorithm | None
    signature: bytes
    this_update: datetime
    next_update: datetime | None
    is_complete: bool
    entries: x509.CertificateRevocationList

    def is_issued_by(self, issuer: Certificate) -> bool:
        return (
            self.is_complete
            and self.issuer == issuer.subject
            and issuer.allows("crl_sign")
            and issued(issuer.key, self.algorithm, self.tbs, self.signature)
        )

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
        entries = x509.load_der_x509_crl(der)
        return RevocationList(
            issuer=parsed["tbs_cert_list"]["issuer"].hashable,
            tbs=parsed["tbs_cert_list"].dump(),
            algorithm=read_algorithm(parsed["signature_algorithm"]),
            signature=parsed["signature"].native,
            this_update=entries.last_update_utc,
            next_update=entries.next_update_utc,
            is_complete=_is_complete(entries),
            entries=entries,
        )
    except Exception as error:  # both parsers fail in many ways
        raise Malformed(type(error).__name__) from None


def _is_complete(entries: x509.CertificateRevocationList) -> bool:
    """Neither delta, indirect nor for a part of what the issuer issued (RFC 5280, 5.2)."""
    return not any(
        isinstance(one.value, x509.IssuingDistributionPoint | x509.DeltaCRLIndicator)
        or (one.critical and not isinstance(one.value, _UNDERSTOOD))
        for one in entries.extensions
    )


def newest_of(
    issuer: Certificate, lists: Iterable[RevocationList], at: datetime
) -> RevocationList | None:
    """The issuer's latest list, the one in force where there is one; None where it has none."""
    of_issuer = [one for one in lists if one.is_issued_by(issuer)]
    begun = [one for one in of_issuer if one.this_update <= at]
    return max(begun or of_issuer, key=lambda one: one.this_update, default=None)
