"""An authenticator in software: discoverable ES256 passkeys, as a browser hands them on."""

from __future__ import annotations

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40
ORIGIN = "http://localhost"


def base64(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


@dataclass
class Authenticator:
    """One credential; a test spoils its answers by another origin, RP id, flags or count."""

    origin: str = ORIGIN
    rp_id: str = "localhost"
    flags: int = PRESENT | VERIFIED
    count: int = 0
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    user_handle: bytes = b""

    def create(self, options: dict[str, Any]) -> str:
        """What `navigator.credentials.create` answers, JSON."""
        self.user_handle = urlsafe_b64decode(options["user"]["id"] + "==")
        numbers = self.key.public_key().public_numbers()
        x, y = (one.to_bytes(32, "big") for one in (numbers.x, numbers.y))
        attested = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id
        attested += cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        data = self._data(self.flags | ATTESTED) + attested
        response = {
            "clientDataJSON": base64(self._client_data("webauthn.create", options)),
            "attestationObject": base64(
                cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
            ),
            "transports": ["internal", "of-the-future"],
        }
        return self._credential(response)

    def get(self, options: dict[str, Any]) -> str:
        """What `navigator.credentials.get` answers, JSON; the counter goes up."""
        self.count += 1
        client, data = self._client_data("webauthn.get", options), self._data(self.flags)
        signature = self.key.sign(data + sha256(client).digest(), ec.ECDSA(SHA256()))
        response = {
            "clientDataJSON": base64(client),
            "authenticatorData": base64(data),
            "signature": base64(signature),
            "userHandle": base64(self.user_handle),
        }
        return self._credential(response)

    def _client_data(self, kind: str, options: dict[str, Any]) -> bytes:
        said = {"type": kind, "challenge": options["challenge"], "origin": self.origin}
        return json.dumps(said).encode()

    def _data(self, flags: int) -> bytes:
        rp_hash = sha256(self.rp_id.encode()).digest()
        return rp_hash + bytes([flags]) + self.count.to_bytes(4, "big")

    def _credential(self, response: dict[str, Any]) -> str:
        name = base64(self.credential_id)
        made = {"id": name, "rawId": name, "type": "public-key", "response": response}
        return json.dumps(made)
