"""What every answer carries: a request id, safe headers, cookies bound to the host."""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

from flask import Flask, Response, g, request
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer
from werkzeug.routing import IntegerConverter, Map

from school_portal.config import KeyAgent
from school_portal.extensions.proxy import visitor_address
from school_portal.services.portal import current_portal

MOST_ROWS = 2**31 - 1  # what an integer column of PostgreSQL holds
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")

# The pages hold no script, style or frame of their own; Tabler's style sheet has data: images.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types default",
    )
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def request_id() -> str:
    """The id of this request: the proxy's where it is well-formed, else a new one."""
    if "request_id" not in g:
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(16)
    found: str = g.request_id
    return found


def arrived() -> datetime:
    """When the request's last byte arrived, by the server's clock; stamped once (rulebook 3, `TZ`).

    What sends something is stamped before anything waits for the database.
    """
    if "arrived" not in g:
        request.get_data(parse_form_data=True)  # reads the body to its end
        g.arrived = current_portal().clock()
    found: datetime = g.arrived
    return found


def stamp_arrival() -> None:
    if request.method == "POST":
        arrived()


def over_tls() -> bool:
    """Whether the visitor's connection is encrypted, at this server or at the proxy before it."""
    origin = current_portal().settings.origin or ""
    return request.is_secure or origin.startswith("https://")


def address() -> str | None:
    """The visitor's address; None where only that of a proxy on this machine is known."""
    found = visitor_address()
    try:
        return None if ip_address(found).is_loopback else found
    except ValueError:
        return None


def origin() -> str:
    """Which site this is, for links and for what a key signs.

    With ORIGIN set it is never the visitor's word; else what the browser took this server for.
    """
    return current_portal().settings.origin or request.host_url.rstrip("/")


def within(url: SplitResult) -> str:
    """The address without its host: whatever that is said to be, it leads to this portal."""
    path = "/" + url.path.lstrip("/\\")
    return url._replace(scheme="", netloc="", path=path).geturl()


def stay_here(response: Response) -> Response:
    """Every redirect stays on this portal: the router's name the host that the visitor named."""
    if location := response.headers.get("Location"):
        response.headers["Location"] = within(urlsplit(location))
    return response


class HostBoundSessions(SecureCookieSessionInterface):
    """The session cookie takes the `__Host-` prefix over TLS: no other host can set it.

    Cookie and forms are signed with the newest session key of the moment. What an older one signed
    is still accepted: a sign-in ends where the server's table ends it.
    """

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Asked for when a request begins, and again when it ends."""
        newest, *older = app.extensions["portal"].settings.session_keys
        older.reverse()  # oldest first, as itsdangerous has it
        app.config.update(
            SECRET_KEY=newest, SECRET_KEY_FALLBACKS=older, WTF_CSRF_SECRET_KEY=[*older, newest]
        )
        return super().get_signing_serializer(app)

    def get_cookie_name(self, app: Flask) -> str:
        return "__Host-session" if over_tls() else "session"

    def get_cookie_secure(self, app: Flask) -> bool:
        return over_tls()


def key_agent() -> KeyAgent | None:
    """What signs on this page, which may then ask it; None where nobody signs in with a key."""
    portal = current_portal()
    if portal.trust is None:
        return None
    g.key_agent = portal.settings.key_agent
    return portal.settings.key_agent


def framed(path: str) -> str:
    """The path of a file of ours that this page shows in a frame, which it then may."""
    g.frames_files = True
    return path


def policy() -> str:
    """The content security policy of this answer."""
    found = f"{POLICY}; frame-src 'self'" if "frames_files" in g else POLICY
    if "key_agent" not in g:
        return found
    return found.replace("connect-src 'self'", f"connect-src 'self' {g.key_agent.origin}")


def add_headers(response: Response) -> Response:
    """The headers of every answer; nothing but static files may be kept by a cache."""
    response.headers["X-Request-Id"] = request_id()
    response.headers.setdefault("Content-Security-Policy", policy())
    if "token" in (request.view_args or {}):  # the address is a secret: no other page is told it
        response.headers["Referrer-Policy"] = "no-referrer"
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if over_tls():
        response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    # An error's page names who is signed in, whatever file was asked for.
    if request.endpoint != "static" or response.status_code >= 400:
        response.headers["Cache-Control"] = "no-store"
    elif "v" in request.args:
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


class RowIdConverter(IntegerConverter):
    """An id in an address; what no database's row can have is no address at all."""

    def __init__(self, url_map: Map, **options: Any) -> None:
        super().__init__(url_map, max=MOST_ROWS, **options)


def row_id(text: str) -> int:
    """An id in a query or a form. Raises ValueError for what no row can have."""
    found = int(text)
    if not 0 <= found <= MOST_ROWS:
        raise ValueError("no row's id")
    return found


def register(app: Flask) -> None:
    app.url_map.converters["int"] = RowIdConverter
    app.session_interface = HostBoundSessions()
    app.config.update(SESSION_COOKIE_HTTPONLY=True, SESSION_COOKIE_SAMESITE="Lax")
    app.before_request(stamp_arrival)
    app.after_request(add_headers)
    app.after_request(stay_here)
