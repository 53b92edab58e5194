"""The portal's own key (Ed25519) that seals what a receipt says beyond the school's signature."""

from __future__ import annotations

from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy.orm import Session

from school_portal.models import WrappedKey, dialect
from school_portal.security.cipher import KeyRing, Unreadable
from school_portal.security.vault import place_of

NAME = "receipt"
_PLACE = place_of("wrapped_keys", "sealed", NAME.encode())


def ensure(session: Session, ring: KeyRing) -> None:
    """Make the key where there is none yet; it is kept sealed."""
    sealed = ring.seal(Ed25519PrivateKey.generate().private_bytes_raw(), _PLACE)
    dialect.ensure_row(session, WrappedKey.__table__, {"name": NAME, "sealed": sealed})


def load(session: Session, ring: KeyRing) -> Ed25519PrivateKey:
    """The key. Raises Unreadable where there is none, or the ring does not fit it."""
    kept = session.get(WrappedKey, NAME)
    if kept is None:
        raise Unreadable("数据库中没有回执密钥，签名提交过一份材料后才有")
    return Ed25519PrivateKey.from_private_bytes(ring.unseal(kept.sealed, _PLACE))


def fingerprint(public: bytes) -> str:
    """SHA-256 (hex) of the raw public key."""
    return sha256(public).hexdigest()


def sealed(public: bytes, text: bytes, seal: bytes) -> bool:
    """Whether the seal is that key's over the text."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(seal, text)
    except (InvalidSignature, ValueError):
        return False
    return True
