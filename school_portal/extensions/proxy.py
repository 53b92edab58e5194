"""The proxy before this server: on a Unix socket nobody else speaks, so there it is believed.

Over TCP anybody may speak, and nothing that is said of a proxy or for one counts.
"""

from __future__ import annotations

from flask import request


def speaks() -> bool:
    """Whether the request came over the Unix socket: gunicorn gives that no address."""
    return request.remote_addr == ""


def visitor_address() -> str:
    """The visitor's address, as the proxy appended it last; `unknown` where nobody says."""
    told = request.headers.get("X-Forwarded-For", "") if speaks() else request.remote_addr
    return (told or "").rpartition(",")[2].strip() or "unknown"


def client_certificate() -> str:
    """The certificate whose key the visitor has shown to hold in TLS, URL-encoded PEM, or ''."""
    return request.headers.get("X-SSL-Client-Cert", "") if speaks() else ""
