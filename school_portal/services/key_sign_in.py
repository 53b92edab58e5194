"""Signing in with a CA key, and opening an account with it (contract; rulebook 6, 2)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.account import AccountState
from school_portal.domain.facts import Account
from school_portal.models import School, User
from school_portal.security import audit
from school_portal.security.ca.certificates import Certificate
from school_portal.security.ca.trust import TrustFiles
from school_portal.security.ca.verification import CaRefused, Code, Revocation, judge, verify
from school_portal.services import (
    challenges,
    crl_overrides,
    operators,
    school_accounts,
    school_keys,
    sign_ins,
    signatures,
)
from school_portal.services.access import Actor
from school_portal.services.challenges import Unknown, Use, Visit
from school_portal.services.portal import Portal
from school_portal.services.sign_ins import Opened


class Purpose(StrEnum):
    """What a challenge is signed for; the values are the contract's."""

    SIGN_IN = "sign-in"
    OPEN_ACCOUNT = "open-account"


@dataclass(frozen=True, slots=True)
class Signed:
    """A challenge as it comes back; without a purpose, the one that was signed for is found."""

    certificate: Certificate
    signature: bytes
    challenge: str
    purpose: Purpose | None = None


class MayOpen(CaRefused):
    """The account is not open, but approved: the same key opens it."""

    def __init__(self) -> None:
        super().__init__(Code.ACCOUNT_NOT_OPEN)


def sign_in(
    session: Session, portal: Portal, trust: TrustFiles, signed: Signed, visit: Visit
) -> Opened:
    """A new sign-in with its token; the caller commits either way.

    A challenge that was presented is used, whatever comes of it. Raises CaRefused, MayOpen; Refused
    where the account was changed meanwhile.
    """
    now = portal.clock()
    messages = {
        signatures.message(visit.origin, purpose.value, signed.challenge): purpose
        for purpose in ([signed.purpose] if signed.purpose else Purpose)
    }
    with _refusals_on_record(session, now):
        _spend(session, signed.challenge, visit, now)
        trusted = crl_overrides.applied(session, trust.read(), now)
        verified = verify(
            signed.certificate, signed.signature, messages, trusted, trust.key_id_oid, now
        )
        purpose = messages[verified.message]
        school = _school(session, portal, verified.key_id)
        _check_account(session, portal, school, purpose, signed.purpose)
        user = _operator(session, school, now)
        school_keys.meet(session, school, signed.certificate, now)
    signatures.keep(
        session,
        portal,
        signed.certificate,
        signed.signature,
        verified,
        purpose=purpose.value,
        school_id=school.id,
        user_id=user.id,
        at=now,
    )
    if purpose is Purpose.OPEN_ACCOUNT:
        school_accounts.open_account(session, portal, Actor.of(user), school)
    return sign_ins.begin(session, user, now, by_key=True)


def sign_in_by_tls(
    session: Session, portal: Portal, trust: TrustFiles, certificate: Certificate
) -> Opened:
    """A new sign-in of who has shown in TLS to hold the certificate's key; it opens no account.

    The caller commits either way. Raises CaRefused, MayOpen.
    """
    now = portal.clock()
    with _refusals_on_record(session, now):
        trusted = crl_overrides.applied(session, trust.read(), now)
        judged = judge(certificate, trusted, trust.key_id_oid, now)
        school = _school(session, portal, judged.key_id)
        _check_account(session, portal, school, Purpose.SIGN_IN, Purpose.SIGN_IN)
        user = _operator(session, school, now)
        school_keys.meet(session, school, certificate, now)
    actor, fingerprint = f"user:{user.id}", certificate.fingerprint.hex()
    state = _told(judged.revocation)
    audit.record(session, actor, "key-sign-in.tls", actor, at=now, certificate=fingerprint, **state)
    return sign_ins.begin(session, user, now, by_key=True)


def _told(revocation: Revocation) -> dict[str, str | int | None]:
    """The revocation state for the audit trail."""
    begins, ends = revocation.this_update, revocation.next_update
    return {
        "crl_this_update": begins.isoformat() if begins else None,
        "crl_next_update": ends.isoformat() if ends else None,
        "crl_override": revocation.override,
    }


@contextmanager
def _refusals_on_record(session: Session, now: datetime) -> Iterator[None]:
    try:
        yield
    except CaRefused as refused:
        audit.record(
            session, "anonymous", "key-sign-in.refuse", "key:unknown", at=now, code=refused.code
        )
        raise


def _spend(session: Session, text: str, visit: Visit, now: datetime) -> None:
    try:
        challenges.spend(session, now, visit, Use.CA_KEY, text)
    except Unknown:
        raise CaRefused(Code.CHALLENGE) from None


def _school(session: Session, portal: Portal, key_id: str) -> School:
    """Locked until the transaction ends: of two sign-ins at once, the second knows the first."""
    index = portal.vault.index("key-id", key_id)
    school = session.scalar(
        sa.select(School)
        .where(School.key_id_index == index)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if school is None:
        raise CaRefused(Code.KEY_ID_UNKNOWN)
    return school


def _check_account(
    session: Session, portal: Portal, school: School, purpose: Purpose, asked: Purpose | None
) -> None:
    """To sign in it is open, to be opened it is approved (contract)."""
    today = portal.today()
    is_approved = school_accounts.state_of(session, school, today) is AccountState.APPROVED
    if purpose is Purpose.SIGN_IN:
        if not Account(school.opened_on, school.stopped_on).is_open(today):
            raise MayOpen if is_approved else CaRefused(Code.ACCOUNT_NOT_OPEN)
    elif not is_approved:
        # Who named no purpose asked for a sign-in, and signed for something else.
        raise CaRefused(Code.ACCOUNT_NOT_OPEN if asked else Code.SIGNATURE)


def _operator(session: Session, school: School, at: datetime) -> User:
    """Whoever holds the school's key."""
    user = operators.of_key(session, school, at)
    if not user.active:
        raise CaRefused(Code.ACCOUNT_NOT_OPEN)
    return user
