"""A browser over real connections: cookies kept, redirects not followed, any certificate taken."""

from __future__ import annotations

import re
import ssl
from email.message import Message
from http.client import HTTPResponse
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode
from urllib.request import (
    HTTPCookieProcessor,
    HTTPErrorProcessor,
    HTTPSHandler,
    Request,
    build_opener,
)

_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


class Answer(NamedTuple):
    status: int
    headers: Message
    text: str


class _AsItIs(HTTPErrorProcessor):
    """Redirects and errors are answers."""

    def http_response(self, request: Request, response: HTTPResponse) -> HTTPResponse:
        return response

    https_response = http_response


def context(certificate: Path | None = None) -> ssl.SSLContext:
    """For a client with that certificate, a PEM file with its key."""
    made = ssl.create_default_context()
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    if certificate:
        made.load_cert_chain(certificate)
    return made


class Web:
    """One browser at one site."""

    def __init__(self, site: str, certificate: Path | None = None) -> None:
        self.site = site
        https = HTTPSHandler(context=context(certificate))
        self.opener = build_opener(https, HTTPCookieProcessor(), _AsItIs())

    def get(self, path: str, **headers: str) -> Answer:
        return self._answer(Request(self.site + path, headers={"Accept": "text/html", **headers}))

    def post(self, path: str, headers: dict[str, str] | None = None, **form: str) -> Answer:
        """The form as the sign-in page's, with the token that this gave."""
        token = _TOKEN.search(self.get("/auth/sign-in").text)
        assert token is not None
        sent = {"Accept": "text/html", "Referer": f"{self.site}/auth/sign-in", **(headers or {})}
        data = urlencode({"csrf_token": token[1], **form}).encode()
        return self._answer(Request(self.site + path, data, sent))

    def _answer(self, request: Request) -> Answer:
        with self.opener.open(request, timeout=60) as response:
            return Answer(response.status, response.headers, response.read().decode())
