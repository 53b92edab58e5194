"""Keys in files for trials, and their agent on the loopback address, as a vendor's would be."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping
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
_FIELDS = {"/certificate": ("key", "pin"), "/sign": ("key", "pin", "message")}


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
    """`GET /keys`, and with a PIN `POST /certificate` and `/sign`, for pages of allowed origins.

    It signs nothing but messages of the portal's that name the page's own origin.
    """

    daemon_threads = True

    def __init__(self, files: Mapping[str, bytes], origins: Iterable[str], port: int) -> None:
        """PKCS #12 by the name under which its key is chosen. Raises OSError for a taken port."""
        self.files, self.origins = dict(files), frozenset(origins)
        self.tries, self.lock = dict.fromkeys(self.files, TRIES), Lock()
        super().__init__(("127.0.0.1", port), _Handler)

    def unlock(self, name: str, pin: str) -> tuple[rsa.RSAPrivateKey, x509.Certificate] | None:
        """The key and its certificate; None for a wrong PIN, or after too many."""
        with self.lock:
            if not self.tries[name]:
                return None
            try:
                key, certificate, _ = pkcs12.load_key_and_certificates(
                    self.files[name], pin.encode()
                )
            except ValueError:
                self.tries[name] -= 1
                return None
            self.tries[name] = TRIES
        assert isinstance(key, rsa.RSAPrivateKey) and certificate is not None  # noqa: S101
        return key, certificate


class _Handler(BaseHTTPRequestHandler):
    server: Agent
    timeout = WAIT_SECONDS

    def do_OPTIONS(self) -> None:
        self._answer(204 if self._is_allowed() else 403)

    def do_GET(self) -> None:
        if not self._is_allowed():
            return self._answer(403, {"error": "origin"})
        if self.path != "/keys":
            return self._answer(400, {"error": "request"})
        return self._answer(200, {"keys": [{"id": one, "name": one} for one in self.server.files]})

    def do_POST(self) -> None:
        if not self._is_allowed():
            return self._answer(403, {"error": "origin"})
        asked = self._asked()
        if asked is None or asked["key"] not in self.server.files:
            return self._answer(400, {"error": "request"})
        unlocked = self.server.unlock(asked["key"], asked["pin"])
        if unlocked is None:
            return self._answer(403, {"error": "pin"})
        key, certificate = unlocked
        if self.path == "/certificate":
            der = certificate.public_bytes(Encoding.DER)
            return self._answer(200, {"certificate": b64encode(der).decode()})
        message = asked["message"].encode()
        signature = key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        return self._answer(200, {"signature": b64encode(signature).decode()})

    def _is_allowed(self) -> bool:
        """A page of an allowed origin, that means this address: no name that leads here."""
        here = f"127.0.0.1:{self.server.server_port}"
        return self.headers["Host"] == here and self.headers["Origin"] in self.server.origins

    def _asked(self) -> dict[str, str] | None:
        """What the request holds, where that is what may be asked for on its path."""
        names = _FIELDS.get(self.path)
        size = self.headers["Content-Length"] or ""
        if names is None or not size.isdecimal() or int(size) > MAX_SIZE:
            return None
        try:
            asked: Any = json.loads(self.rfile.read(int(size)))
            texts = {name: asked[name] for name in names}
            "".join(texts.values()).encode()
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
        start = f"school-portal/v1\n{self.headers['Origin']}\n"
        return texts if texts.get("message", start).startswith(start) else None

    def _answer(self, status: int, document: Mapping[str, object] | None = None) -> None:
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
