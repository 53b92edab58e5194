"""Passkeys (WebAuthn, level 2): made and used in the person's browser, verified here.

Each is discoverable and verifies its owner, by a PIN or the like: alone it is two factors.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Session
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    RegistrationCredential,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from school_portal.domain.texts import trimmed
from school_portal.models import Passkey, User
from school_portal.security import audit
from school_portal.services import challenges, lockouts, sign_ins
from school_portal.services.access import Refused, hold
from school_portal.services.challenges import Unknown, Use, Visit
from school_portal.services.lockouts import Attempt
from school_portal.services.portal import Portal
from school_portal.services.sign_ins import Opened

MAX_SIZE = 16 * 1024  # characters of an answer, which has some hundred; cut off, it is none
MOST = 10  # passkeys of a person
TIMEOUT = int(challenges.LIFETIME.total_seconds() * 1000)  # milliseconds
_REQUIRED = UserVerificationRequirement.REQUIRED


class Malformed(Exception):
    """What the browser sent is no answer of an authenticator."""


@contextmanager
def _hostile() -> Iterator[None]:
    """Around the library alone, never the database: what it is given may make it fail anyhow.

    Raises Malformed.
    """
    try:
        yield
    except Exception:  # JSON, CBOR and ASN.1 in one another, each with failures of its own
        raise Malformed from None


@dataclass(frozen=True, slots=True)
class Answer:
    """What an authenticator signed, on which visit, for which use of the challenge."""

    credential: AuthenticationCredential
    visit: Visit
    use: Use


def relying_party(origin: str) -> str | None:
    """The host that passkeys of the origin are for; None where browsers give none.

    They do under a name over TLS, and on this machine (Secure Contexts, 3.1).
    """
    parts = urlsplit(origin)
    host = parts.hostname or ""
    try:
        ip_address(host)
    except ValueError:
        local = host == "localhost" or host.endswith(".localhost")
        return host if host and (parts.scheme == "https" or local) else None
    return None


def to_add(session: Session, portal: Portal, user: User, visit: Visit, portal_name: str) -> str:
    """What the browser needs to make a passkey, JSON. Raises access.Refused."""
    _check_may_add(user)
    options = generate_registration_options(
        rp_id=_relying_party(visit),
        rp_name=portal_name,
        user_id=_handle(user),
        user_name=user.username,
        user_display_name=user.name,
        challenge=_challenge(session, portal, visit, Use.PASSKEY_ADD),
        timeout=TIMEOUT,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=_REQUIRED
        ),
        exclude_credentials=_listed(user),
    )
    return options_to_json(options)


def to_use(session: Session, portal: Portal, visit: Visit, use: Use, user: User | None) -> str:
    """What the browser needs to use one of the person's passkeys, JSON; of anybody's without one.

    Raises access.Refused.
    """
    options = generate_authentication_options(
        rp_id=_relying_party(visit),
        challenge=_challenge(session, portal, visit, use),
        timeout=TIMEOUT,
        allow_credentials=_listed(user) if user else None,
        user_verification=_REQUIRED,
    )
    return options_to_json(options)


def read(text: str, visit: Visit, use: Use) -> Answer:
    """The answer that a browser sent. Raises Malformed."""
    with _hostile():
        return Answer(parse_authentication_credential_json(text[:MAX_SIZE]), visit, use)


def add(
    session: Session, portal: Portal, user: User, text: str, visit: Visit, name: str
) -> Passkey:
    """The passkey that a browser made; `text` is its answer, JSON. The caller holds the user.

    Raises access.Refused; the caller commits either way.
    """
    _check_may_add(user)
    site = _relying_party(visit)
    try:
        with _hostile():
            made = parse_registration_credential_json(text[:MAX_SIZE])
        challenge = _spent(session, portal, made, visit, Use.PASSKEY_ADD)
        with _hostile():
            verified = verify_registration_response(
                credential=made,
                expected_challenge=challenge,
                expected_rp_id=site,
                expected_origin=visit.origin,
                require_user_verification=True,
            )
    except (Unknown, Malformed):
        raise Refused("通行密钥没有通过核对或已超过两分钟，请重新添加。") from None
    if _of(session, verified.credential_id) is not None:
        raise Refused("这个通行密钥已经添加过，不必再添加。")
    kept = Passkey(
        user=user,
        credential_id=verified.credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        transports=" ".join(sorted({one.value for one in made.response.transports or ()})),
        name=trimmed(name),
        created_at=portal.clock(),
    )
    session.add(kept)
    session.flush()
    return kept


def fits(session: Session, portal: Portal, user: User | None, answer: Answer) -> bool:
    """Whether one of the person's passkeys gave the answer, for its use; the challenge is spent.

    Raises access.Refused where the portal's address has no passkeys, and whatever a kept key that
    is damaged raises: neither is the person's fault.
    """
    site = _relying_party(answer.visit)
    if user is not None:
        hold(session, user)
    kept, handle = _of(session, answer.credential.raw_id), answer.credential.response.user_handle
    try:
        challenge = _spent(session, portal, answer.credential, answer.visit, answer.use)
        if user is None or kept is None or kept.user_id != user.id:
            return False
        if handle not in (None, _handle(user)):
            return False
        decoded_public_key_to_cryptography(decode_credential_public_key(kept.public_key))
        with _hostile():
            verified = verify_authentication_response(
                credential=answer.credential,
                expected_challenge=challenge,
                expected_rp_id=site,
                expected_origin=answer.visit.origin,
                credential_public_key=kept.public_key,
                credential_current_sign_count=kept.sign_count,
                require_user_verification=True,
            )
    except (Unknown, Malformed):
        return False
    kept.sign_count, kept.last_used_at = verified.new_sign_count, portal.clock()
    return True


def sign_in(session: Session, portal: Portal, answer: Answer, address: str | None) -> Opened | None:
    """A new sign-in without a password, with its token, or None; the caller commits either way.

    A passkey of nobody counts as a wrong attempt for its own id. Raises lockouts.Locked, and what
    `fits` raises.
    """
    kept, now = _of(session, answer.credential.raw_id), portal.clock()
    user = kept.user if kept else None
    attempt = Attempt(user.username if user else answer.credential.id[:64], address)
    lockouts.begin(session, portal, attempt)
    if not fits(session, portal, user, answer) or user is None or not user.active:
        subject = f"user:{user.id}" if user else "user:unknown"
        audit.record(session, "anonymous", "sign-in.refuse", subject, at=now)
        return None
    lockouts.succeed(session, portal, attempt)
    return sign_ins.begin(session, user, now)


def _check_may_add(user: User) -> None:
    if not user.password_hash:
        raise Refused("这个账户用 CA 密钥登录，不使用通行密钥。")
    if len(user.passkeys) >= MOST:
        raise Refused(f"每人最多 {MOST} 个通行密钥，请先删除不再使用的。")


def _relying_party(visit: Visit) -> str:
    found = relying_party(visit.origin)
    if found is None:
        raise Refused("通行密钥须用域名以 https 打开本平台才能使用，请联系平台管理人员。")
    return found


def _challenge(session: Session, portal: Portal, visit: Visit, use: Use) -> bytes:
    return b64decode(challenges.issue(session, portal.clock(), visit, use)[0])


def _spent(
    session: Session,
    portal: Portal,
    credential: AuthenticationCredential | RegistrationCredential,
    visit: Visit,
    use: Use,
) -> bytes:
    """The challenge that was signed, good no more. Raises Unknown, Malformed."""
    with _hostile():
        signed = parse_client_data_json(credential.response.client_data_json).challenge
    challenges.spend(session, portal.clock(), visit, use, b64encode(signed).decode())
    return signed


def _of(session: Session, credential_id: bytes) -> Passkey | None:
    return session.scalar(sa.select(Passkey).where(Passkey.credential_id == credential_id))


def _listed(user: User) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=one.credential_id,
            transports=[AuthenticatorTransport(name) for name in one.transports.split()],
        )
        for one in user.passkeys
    ]


def _handle(user: User) -> bytes:
    """What authenticators keep a passkey under; nothing personal, the same for all of a person."""
    return f"user:{user.id}".encode()
