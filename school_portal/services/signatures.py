"""What CA keys signed: the text (contract), and the signatures that were accepted."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime
from uuid import uuid4

from sqlalchemy.orm import Session

from school_portal.models import CaSignature
from school_portal.security.ca.certificates import Certificate
from school_portal.security.ca.verification import Verified
from school_portal.services.portal import Portal

_PLACE = ("ca_signatures", "certificate")


def message(origin: str, purpose: str, text: str) -> str:
    """What is signed, as UTF-8: `text` is a challenge, or the hash (hex) of a content."""
    return f"school-portal/v1\n{origin}\n{purpose}\n{text}"


def keep(
    session: Session,
    portal: Portal,
    certificate: Certificate,
    signature: bytes,
    verified: Verified,
    *,
    purpose: str,
    school_id: int,
    user_id: int,
    at: datetime,
) -> CaSignature:
    """The signature with its certificate and what was known of its revocation."""
    uid, index = uuid4().hex, portal.vault.index("key-id", verified.key_id)
    text = b64encode(certificate.der).decode()
    kept = CaSignature(
        uid=uid,
        school_id=school_id,
        user_id=user_id,
        at=at,
        purpose=purpose,
        message=verified.message,
        signature=signature,
        certificate_sealed=portal.vault.seal(*_PLACE, uid.encode(), text),
        certificate_sha256=certificate.fingerprint,
        public_key_sha256=certificate.key.fingerprint,
        key_id_index=index,
        crl_this_update=verified.revocation.this_update,
        crl_next_update=verified.revocation.next_update,
        crl_override_id=verified.revocation.override,
    )
    session.add(kept)
    return kept


def certificate_of(portal: Portal, signature: CaSignature) -> str:
    """The certificate's DER in base64. Raises Unreadable."""
    sealed = signature.certificate_sealed
    return portal.vault.unseal(*_PLACE, signature.uid.encode(), sealed)
