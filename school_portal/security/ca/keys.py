"""Public keys and what they signed: RSA, and SM2 with SM3 (GB/T 32918, GM/T 0009)."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

import gmssl_pyx
from asn1crypto.algos import SignedDigestAlgorithm
from asn1crypto.keys import PublicKeyInfo
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from school_portal.security.ca.silence import silence

SM2_CURVE = "1.2.156.10197.1.301"
SM2_WITH_SM3 = "1.2.156.10197.1.501"
SM2_USER_ID = b"1234567812345678"
RSA_BITS = range(2048, 8193)
_EXPONENT_BITS = 64
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_ROOT_HASHES = {**_HASHES, "sha1": hashes.SHA1()}  # noqa: S303

_RSA_SIGNATURES = ("sha1_rsa", "sha256_rsa", "sha384_rsa", "sha512_rsa", "rsassa_pss")


@dataclass(frozen=True, slots=True)
class Algorithm:
    """How a certificate or a CRL is signed: `rsassa_pkcs1v15`, `rsassa_pss` or `sm2`, its hash."""

    scheme: str
    digest: str


@dataclass(frozen=True, slots=True)
class RsaKey:
    """An RSA public key."""

    name = "rsa"
    modulus: int
    exponent: int
    fingerprint: bytes  # SHA-256 of the SubjectPublicKeyInfo

    @property
    def is_strong(self) -> bool:
        """Neither too short to trust nor so long that judging it costs much."""
        return self.modulus.bit_length() in RSA_BITS

    def signed(self, message: bytes, signature: bytes) -> bool:
        """Whether the signature is this key's: PKCS #1 v1.5 or PSS with any salt, SHA-256."""
        sha = _HASHES["sha256"]
        pss = padding.PSS(padding.MGF1(sha), padding.PSS.AUTO)
        return any(
            self.verifies(scheme, sha, message, signature) for scheme in (padding.PKCS1v15(), pss)
        )

    def verifies(
        self,
        scheme: padding.AsymmetricPadding,
        digest: hashes.HashAlgorithm,
        message: bytes,
        signature: bytes,
    ) -> bool:
        if self.modulus.bit_length() >= RSA_BITS.stop or self.exponent >> _EXPONENT_BITS:
            return False
        try:
            key = RSAPublicNumbers(self.exponent, self.modulus).public_key()
            key.verify(signature, message, scheme, digest)
        except (InvalidSignature, UnsupportedAlgorithm, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class Sm2Key:
    """An SM2 public key, a point of 64 bytes."""

    name = "sm2"
    is_strong = True
    point: bytes
    fingerprint: bytes  # SHA-256 of the SubjectPublicKeyInfo

    def signed(self, message: bytes, signature: bytes) -> bool:
        """Whether the signature is this key's: SM3, the default user id, DER."""
        try:
            decode_dss_signature(signature)  # GmSSL overlooks what stands behind the DER
            with silence():
                return gmssl_pyx.sm2_verify(self.point, message, signature, SM2_USER_ID)
        except (gmssl_pyx.GmsslInnerError, ValueError):
            return False


@dataclass(frozen=True, slots=True)
class OtherKey:
    """A key of a kind that signs nothing here."""

    name = "other"
    is_strong = False
    fingerprint: bytes

    def signed(self, message: bytes, signature: bytes) -> bool:
        return False


PublicKey = RsaKey | Sm2Key | OtherKey


def read_key(info: PublicKeyInfo) -> PublicKey:
    """The public key of a certificate. Raises ValueError, as asn1crypto does, where malformed."""
    fingerprint = sha256(info.dump()).digest()
    algorithm = info["algorithm"]
    if algorithm["algorithm"].native in ("rsa", "rsassa_pss"):
        numbers = info["public_key"].parsed
        modulus, exponent = numbers["modulus"].native, numbers["public_exponent"].native
        if modulus < 1 or exponent < 1:
            raise ValueError("no RSA key")
        return RsaKey(modulus, exponent, fingerprint)
    if algorithm["algorithm"].native == "ec" and algorithm["parameters"].native == SM2_CURVE:
        try:
            point = gmssl_pyx.normalize_sm2_public_key(info["public_key"].native)
        except gmssl_pyx.InvalidValueError:
            raise ValueError("no point of the SM2 curve") from None
        return Sm2Key(point, fingerprint)
    return OtherKey(fingerprint)


def read_algorithm(algorithm: SignedDigestAlgorithm) -> Algorithm | None:
    """How a certificate or a CRL is signed; None for a way that is not accepted here.

    Raises ValueError, as asn1crypto does, where malformed.
    """
    if algorithm["algorithm"].dotted == SM2_WITH_SM3:
        return Algorithm("sm2", "sm3")
    if algorithm["algorithm"].native not in _RSA_SIGNATURES:
        return None
    return Algorithm(algorithm.signature_algo, algorithm.hash_algo)


def issued(
    key: PublicKey,
    algorithm: Algorithm | None,
    signed: bytes,
    signature: bytes,
    *,
    itself: bool = False,
) -> bool:
    """Whether the key signed a certificate or a CRL: SHA-256 and longer, or SM2 with SM3.

    A root that signed itself may have done so with SHA-1: the bundle vouches for it, not this.
    """
    if algorithm is None or not key.is_strong:
        return False
    if isinstance(key, Sm2Key):
        return algorithm.scheme == "sm2" and key.signed(signed, signature)
    digest = (_ROOT_HASHES if itself else _HASHES).get(algorithm.digest)
    if digest is None or not isinstance(key, RsaKey):
        return False
    pss = padding.PSS(padding.MGF1(digest), padding.PSS.AUTO)
    scheme = pss if algorithm.scheme == "rsassa_pss" else padding.PKCS1v15()
    return key.verifies(scheme, digest, signed, signature)
