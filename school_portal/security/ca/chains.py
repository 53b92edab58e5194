"""Chains from a certificate to a root of the bundle (RFC 5280, 6.1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from school_portal.security.ca.certificates import Certificate

MAX_ISSUERS = 6

Chain = tuple[Certificate, ...]  # the certificate itself first, the root last


def chains(certificate: Certificate, bundle: Sequence[Certificate]) -> Iterator[Chain]:
    """Every chain whose names, signatures and constraints hold; dates and CRLs are not looked at.

    A chain ends in a self-signed certificate of the bundle: an intermediate alone is no root.
    """
    return _from((certificate,), bundle)


def _from(chain: Chain, bundle: Sequence[Certificate]) -> Iterator[Chain]:
    last = chain[-1]
    if len(chain) > 1 and last.is_root:
        yield chain
        return
    if len(chain) > MAX_ISSUERS:
        return
    for issuer in bundle:
        if issuer not in chain and _may_issue(issuer, chain) and last.is_issued_by(issuer):
            yield from _from((*chain, issuer), bundle)


def _may_issue(issuer: Certificate, below: Chain) -> bool:
    """A CA that may sign certificates, with no more CAs below than it allows."""
    cas_below = sum(not one.is_self_issued for one in below[1:])
    return (
        issuer.is_ca
        and issuer.allows("key_cert_sign")
        and not issuer.critical_unknown
        and (issuer.path_length is None or cas_below <= issuer.path_length)
    )
