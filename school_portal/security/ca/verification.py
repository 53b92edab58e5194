"""Whether a signature is that of a certificate which is trusted, in force and fit (contract)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

from school_portal.security.ca.certificates import Certificate
from school_portal.security.ca.chains import Chain, chains
from school_portal.security.ca.crls import newest_of
from school_portal.security.ca.key_id import text_of
from school_portal.security.ca.trust import Trust


class Code(StrEnum):
    """Why a key is refused; the values are the contract's, in the order of the checks.

    The last is an addition to it (CHANGELOG.md).
    """

    CHALLENGE = "ca.challenge"
    SIGNATURE = "ca.signature"
    UNTRUSTED = "ca.untrusted"
    EXPIRED = "ca.expired"
    REVOKED = "ca.revoked"
    CRL_STALE = "ca.crl-stale"
    KEY_USAGE = "ca.key-usage"
    KEY_ID_MISSING = "ca.key-id-missing"
    KEY_ID_UNKNOWN = "ca.key-id-unknown"
    ACCOUNT_NOT_OPEN = "ca.account-not-open"
    KEY_NOT_ACCEPTED = "ca.key-not-accepted"


# A file of ours that went bad holds nothing; the key's holder can do nothing about it.
UNREADABLE = "平台的{}文件暂时无法读取，不是密钥的问题，请联系平台管理人员。"


class CaRefused(Exception):
    """A key is refused, for that reason; `told` is for its holder alone, and may be empty."""

    def __init__(self, code: Code, told: str = "") -> None:
        super().__init__(code.value)
        self.code = code
        self.told = told


@dataclass(frozen=True, slots=True)
class Revocation:
    """What the CRL of a certificate's issuer said; without dates where no CRLs are configured.

    `override` is that of `Trust`, where a CRL past its dates counted.
    """

    this_update: datetime | None = None
    next_update: datetime | None = None
    override: int | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """What a certificate says that is trusted, in force and fit at that instant."""

    key_id: str
    revocation: Revocation
    chain: Chain


@dataclass(frozen=True, slots=True)
class Verified(Judged):
    """What such a certificate's key signed."""

    message: str


def verify(
    certificate: Certificate,
    signature: bytes,
    messages: Iterable[str],
    trust: Trust,
    key_id_oid: str,
    at: datetime,
) -> Verified:
    """The keyID, where the certificate's key signed one of the messages and all is well with it.

    The signature is judged first: who has no key learns nothing else. Raises CaRefused.
    """
    for message in messages:
        if certificate.key.signed(message.encode(), signature):
            judged = judge(certificate, trust, key_id_oid, at)
            return Verified(judged.key_id, judged.revocation, judged.chain, message)
    raise CaRefused(Code.SIGNATURE)


def judge(certificate: Certificate, trust: Trust, key_id_oid: str, at: datetime) -> Judged:
    """Whether the certificate is trusted, in force and fit to sign in with; not whose it is.

    Raises CaRefused.
    """
    if not trust.bundle:
        raise CaRefused(Code.UNTRUSTED, UNREADABLE.format("CA 证书"))
    if not certificate.key.is_strong or certificate.critical_unknown - {key_id_oid}:
        raise CaRefused(Code.UNTRUSTED)
    revocation, chain = _best(chains(certificate, trust.bundle), trust, at)
    if not _may_sign_in(certificate):
        raise CaRefused(Code.KEY_USAGE)
    key_id = text_of(certificate.extensions.get(key_id_oid, b""))
    if key_id is None:
        raise CaRefused(Code.KEY_ID_MISSING)
    return Judged(key_id, revocation, chain)


def _best(found: Iterator[Chain], trust: Trust, at: datetime) -> tuple[Revocation, Chain]:
    """The first faultless chain and what it says; the fault of the one that came furthest."""
    fault = CaRefused(Code.UNTRUSTED)
    order = list(Code)
    for chain in found:
        try:
            return _along(chain, trust, at), chain
        except CaRefused as refused:
            fault = max(fault, refused, key=lambda one: order.index(one.code))
    raise fault


def _along(chain: Chain, trust: Trust, at: datetime) -> Revocation:
    """What the CRL of the leaf's issuer says, where the whole chain is in force."""
    if not all(one.not_before <= at <= one.not_after for one in chain):
        raise CaRefused(Code.EXPIRED)
    if trust.crls is None:
        return Revocation()
    if not trust.crls:
        raise CaRefused(Code.CRL_STALE, UNREADABLE.format("证书吊销列表"))
    states = [_state(one, issuer, trust, at) for one, issuer in pairwise(chain)]
    # The bundle vouches for an intermediate that no CRL is for; nobody does for a leaf.
    if states[0] is None:
        raise CaRefused(Code.CRL_STALE)
    overridden = any(one and one.override for one in states)
    return replace(states[0], override=trust.override if overridden else None)


def _state(
    certificate: Certificate, issuer: Certificate, trust: Trust, at: datetime
) -> Revocation | None:
    """What the issuer's CRLs for that certificate say, None where there is none.

    One within its dates suffices, and listed in any such is revoked; in old ones, where all are.
    """
    newest = newest_of(issuer, [one for one in trust.crls or () if one.covers(certificate)], at)
    if not newest:
        return None
    counting = [one for one in newest if one.is_fresh(at)] or newest
    if any(one.revokes(certificate) for one in counting):
        raise CaRefused(Code.REVOKED)
    crl = counting[0]
    if crl.is_fresh(at):
        return Revocation(crl.this_update, crl.next_update)
    if trust.override is None or crl.this_update > at:
        raise CaRefused(Code.CRL_STALE)
    return Revocation(crl.this_update, crl.next_update, trust.override)


def _may_sign_in(certificate: Certificate) -> bool:
    """An end entity's key for digital signatures and, where that is limited, for clients."""
    extended = certificate.extended_key_usage
    return (
        not certificate.is_ca
        and certificate.key_usage is not None
        and certificate.allows("digital_signature")
        and (extended is None or "client_auth" in extended)
    )
