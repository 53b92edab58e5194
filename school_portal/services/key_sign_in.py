"""Signing in with a CA key, and opening an account with it (contract; rulebook 6, 2)."""

from __future__ import annotations

import secrets
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.account import AccountState
from school_portal.domain.facts import Account
from school_portal.domain.workflow import Role
from school_portal.models import CaChallenge, School, User, dialect
from school_portal.security import audit
from school_portal.security.ca.certificates import Certificate
from school_portal.security.ca.trust import TrustFiles
from school_portal.security.ca.verification import CaRefused, Code, verify
from school_portal.services import crl_overrides, school_accounts, sign_ins, signatures
from school_portal.services.access import Actor
from school_portal.services.portal import Portal
from school_portal.services.sign_ins import Opened

LIFETIME = timedelta(minutes=2)
CHALLENGE_SIZE = 32  # bytes


class Purpose(StrEnum):
    """What a challenge is signed for; the values are the contract's."""

    SIGN_IN = "sign-in"
    OPEN_ACCOUNT = "open-account"


@dataclass(frozen=True, slots=True)
class Visit:
    """Where a challenge was asked for: the browser, by a secret in its cookie, and the origin."""

    browser: str
    origin: str

    @property
    def hash(self) -> bytes:
        return sha256(f"{self.browser}\n{self.origin}".encode()).digest()


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


def challenge(session: Session, now: datetime, visit: Visit) -> tuple[str, datetime]:
    """32 random bytes in base64 and when they expire; good once, for that visit."""
    text, expires_at = b64encode(secrets.token_bytes(CHALLENGE_SIZE)).decode(), now + LIFETIME
    session.execute(sa.delete(CaChallenge).where(CaChallenge.expires_at <= now))
    session.add(CaChallenge(challenge_hash=_hash(text), bound_to=visit.hash, expires_at=expires_at))
    return text, expires_at


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
    try:
        _use(session, signed.challenge, visit, now)
        trusted = crl_overrides.applied(session, trust.read(), now)
        verified = verify(
            signed.certificate, signed.signature, messages, trusted, trust.key_id_oid, now
        )
        purpose = messages[verified.message]
        school = _school(session, portal, verified.key_id)
        _check_account(session, portal, school, purpose, signed)
        user = _operator(session, school)
    except CaRefused as refused:
        audit.record(
            session, "anonymous", "key-sign-in.refuse", "key:unknown", at=now, code=refused.code
        )
        raise
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
    return sign_ins.begin(session, user, now)


def _use(session: Session, text: str, visit: Visit, now: datetime) -> None:
    """Removed by whoever presents it first; of another browser or origin it is unknown."""
    found = session.execute(
        sa.delete(CaChallenge)
        .where(CaChallenge.challenge_hash == _hash(text))
        .returning(CaChallenge.bound_to, CaChallenge.expires_at)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if found is None or found.bound_to != visit.hash or found.expires_at <= now:
        raise CaRefused(Code.CHALLENGE)


def _school(session: Session, portal: Portal, key_id: str) -> School:
    index = portal.vault.index("key-id", key_id)
    school = session.scalar(sa.select(School).where(School.key_id_index == index))
    if school is None:
        raise CaRefused(Code.KEY_ID_UNKNOWN)
    return school


def _check_account(
    session: Session, portal: Portal, school: School, purpose: Purpose, signed: Signed
) -> None:
    """To sign in it is open, to be opened it is approved (contract)."""
    today = portal.today()
    is_approved = school_accounts.state_of(session, school, today) is AccountState.APPROVED
    if purpose is Purpose.SIGN_IN:
        if not Account(school.opened_on, school.stopped_on).is_open(today):
            raise MayOpen if is_approved else CaRefused(Code.ACCOUNT_NOT_OPEN)
    elif not is_approved:
        # Who named no purpose asked for a sign-in, and signed for something else.
        raise CaRefused(Code.ACCOUNT_NOT_OPEN if signed.purpose else Code.SIGNATURE)


def _operator(session: Session, school: School) -> User:
    """Whoever holds the school's key: a person of the school's own, without a password."""
    username = sign_ins.key_holder(school)
    dialect.ensure_row(
        session,
        User.__table__,
        {
            "username": username,
            "name": "平台操作人员",
            "password_hash": "",  # no password fits it
            "role": Role.SCHOOL,
            "school_id": school.id,
            "active": True,
        },
    )
    user = session.scalars(sa.select(User).where(User.username == username)).one()
    if not user.active:
        raise CaRefused(Code.ACCOUNT_NOT_OPEN)
    return user


def _hash(text: str) -> bytes:
    return sha256(text.encode()).digest()
