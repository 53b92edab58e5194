"""A key in a file for trials, and its agent on the loopback address, as a vendor's would be."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    load_pem_private_key,
    pkcs12,
)

PIN_LENGTH = range(6, 65)
TRIES = 5  # wrong PINs before the agent has to be started again
MAX_SIZE = 16 * 1024  # bytes of a request
WAIT_SECONDS = 10


def pack(certificate: bytes, key: bytes, pin: str) -> bytes:
    """PKCS #12 of both under the PIN. Raises ValueError with a text in Chinese."""
    if len(pin) not in PIN_LENGTH:
        raise ValueError(f"PIN 须为 {PIN_LENGTH.start} 至 {PIN_LENGTH.stop - 1} 个字，请重新设置。")
    try:
        read, private = x509.load_pem_x509_certificate(certificate), load_pem_private_key(key, None)
        fits = isinstance(private, rsa.RSAPrivateKey) and private.public_key() == read.public_key()
    except (ValueError, TypeError):
        raise ValueError("证书或私钥无法读取，请核对是否为未加密的 PEM 文件。") from None
    except UnsupportedAlgorithm:
        fits = False
    if not fits:
        raise ValueError("私钥须为 RSA，并与证书相符，请核对两个文件。")
    assert isinstance(private, rsa.RSAPrivateKey)  # noqa: S101
    protection = BestAvailableEncryption(pin.encode())
    return pkcs12.serialize_key_and_certificates(b"soft-key", private, read, None, protection)


class Agent(ThreadingHTTPServer):
    """`POST /sign` with a PIN, for pages of the allowed origins alone.

    It signs nothing but messages of the portal's that name the page's own origin.
    """

    daemon_threads = True

    def __init__(self, content: bytes, origins: Iterable[str], port: int) -> None:
        self.content, self.origins = content, frozenset(origins)
        self.tries, self.lock = TRIES, Lock()
        super().__init__(("127.0.0.1", port), _Handler)

    def sign(self, pin: str, message: str) -> dict[str, str] | None:
        """Certificate and signature in base64; None for a wrong PIN, or after too many."""
        with self.lock:
            if not self.tries:
                return None
            try:
                key, certificate, _ = pkcs12.load_key_and_certificates(self.content, pin.encode())
            except ValueError:
                self.tries -= 1
                return None
            self.tries = TRIES
        assert isinstance(key, rsa.RSAPrivateKey) and certificate is not None  # noqa: S101
        signature = key.sign(message.encode(), padding.PKCS1v15(), hashes.SHA256())
        return {
            "certificate": b64encode(certificate.public_bytes(Encoding.DER)).decode(),
            "signature": b64encode(signature).decode(),
        }


class _Handler(BaseHTTPRequestHandler):
    server: Agent
    timeout = WAIT_SECONDS

    def do_OPTIONS(self) -> None:
        self._answer(204 if self._is_allowed() else 403)

    def do_POST(self) -> None:
        if not self._is_allowed():
            return self._answer(403, {"error": "origin"})
        asked = self._asked()
        start = f"school-portal/v1\n{self.headers['Origin']}\n"
        if self.path != "/sign" or asked is None or not asked["message"].startswith(start):
            return self._answer(400, {"error": "request"})
        signed = self.server.sign(asked["pin"], asked["message"])
        return self._answer(200, signed) if signed else self._answer(403, {"error": "pin"})

    def _is_allowed(self) -> bool:
        """A page of an allowed origin, that means this address: no name that leads here."""
        here = f"127.0.0.1:{self.server.server_port}"
        return self.headers["Host"] == here and self.headers["Origin"] in self.server.origins

    def _asked(self) -> dict[str, str] | None:
        size = self.headers["Content-Length"] or ""
        if not size.isdecimal() or int(size) > MAX_SIZE:
            return None
        try:
            asked: Any = json.loads(self.rfile.read(int(size)))
            texts = {name: asked[name] for name in ("pin", "message")}
            "".join(texts.values()).encode()
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
        return texts

    def _answer(self, status: int, document: dict[str, str] | None = None) -> None:
        self.send_response(status)
        if self._is_allowed():
            self.send_header("Access-Control-Allow-Origin", self.headers["Origin"])
            self.send_header("Access-Control-Allow-Headers", "Content-Type")
            self.send_header("Access-Control-Allow-Private-Network", "true")
            self.send_header("Vary", "Origin")
        body = json.dumps(document).encode() if document else b""
        self.send_header("Content-Type", "application/json")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: what passes here is nobody else's business."""
