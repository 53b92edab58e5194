"""The receipt of a paper that was signed: a file that shows by itself what was signed."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session

from school_portal.domain.windows import TZ
from school_portal.models import CaSignature, SignedSubmission
from school_portal.security import receipt_key
from school_portal.security.canonical import canonical
from school_portal.security.receipts import FORMAT
from school_portal.services import signatures
from school_portal.services.portal import Portal
from school_portal.services.signed_papers import PLACE


def document(
    session: Session, portal: Portal, submission: SignedSubmission, number: str
) -> dict[str, Any]:
    """The receipt (docs/receipts.md) of the paper with that number. Raises Unreadable."""
    sealed, hashed = submission.content_sealed, submission.digest
    signature = submission.signature
    told = {
        "format": FORMAT,
        "number": number,
        "content": json.loads(portal.vault.unseal(*PLACE, hashed.encode(), sealed)),
        "sha256": hashed,
        "arrived_at": _instant(submission.arrived_at),
        "signature": {
            "message": signature.message,
            "value": _text(signature.signature),
            "certificates": [
                signatures.certificate_of(portal, signature),
                *submission.issuers,
            ],
            "key_id_oid": portal.settings.key_id_oid,
        },
        "revocation": _revocation(signature),
    }
    return {**told, "portal": _seal(receipt_key.load(session, portal.ring), told)}


def portal_key(session: Session, portal: Portal) -> str:
    """SHA-256 (hex) of the key with which the portal seals receipts. Raises Unreadable."""
    key = receipt_key.load(session, portal.ring)
    return receipt_key.fingerprint(key.public_key().public_bytes_raw())


def _revocation(signature: CaSignature) -> dict[str, str] | None:
    begins, ends = signature.crl_this_update, signature.crl_next_update
    if begins is None or ends is None:
        return None
    return {"this_update": _instant(begins), "next_update": _instant(ends)}


def _seal(key: Ed25519PrivateKey, told: dict[str, Any]) -> dict[str, str]:
    public = key.public_key().public_bytes_raw()
    return {"key": _text(public), "value": _text(key.sign(canonical(told)))}


def _instant(at: datetime) -> str:
    return at.astimezone(TZ).isoformat(timespec="microseconds")


def _text(value: bytes) -> str:
    return b64encode(value).decode()
