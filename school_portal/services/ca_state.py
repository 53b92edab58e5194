"""What is trusted now, as an administrator reads it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from school_portal.security.ca.certificates import Certificate
from school_portal.security.ca.crls import RevocationList, newest_of
from school_portal.security.ca.trust import Trust


@dataclass(frozen=True, slots=True)
class Issuer:
    """A certificate of the bundle, and its CRLs that count, the latest of each scope.

    `crl` is the one that ends first; None where it has none.
    """

    certificate: Certificate
    crl: RevocationList | None
    is_in_force: bool
    crls: int
    stale_crls: int


def issuers(trust: Trust, now: datetime) -> list[Issuer]:
    """One for each certificate of the bundle, in its order."""
    return [_issuer(one, trust, now) for one in trust.bundle]


def strays(trust: Trust) -> int:
    """How many CRLs no certificate of the bundle issued: they count for nobody."""
    return sum(not any(crl.is_issued_by(one) for one in trust.bundle) for crl in trust.crls or ())


def _issuer(certificate: Certificate, trust: Trust, now: datetime) -> Issuer:
    crls = newest_of(certificate, trust.crls or (), now)
    return Issuer(
        certificate,
        min(crls, key=lambda one: one.next_update or one.this_update, default=None),
        is_in_force=certificate.not_before <= now <= certificate.not_after,
        crls=len(crls),
        stale_crls=sum(not one.is_fresh(now) for one in crls),
    )
