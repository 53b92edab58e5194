"""Which browser asks for a challenge and comes back with the answer: a cookie of its own."""

from __future__ import annotations

import re
import secrets

from flask import Response, request

from school_portal.blueprints.http import origin, over_tls
from school_portal.services import challenges, passkeys
from school_portal.services.challenges import Visit

_BROWSER = re.compile(r"[A-Za-z0-9_-]{43}")


def begun() -> Visit:
    """For a challenge; one cookie for all of a browser's windows: each may have asked for one."""
    kept = request.cookies.get(_cookie(), "")
    return Visit(kept if _BROWSER.fullmatch(kept) else secrets.token_urlsafe(32), origin())


def kept() -> Visit:
    """For what comes back."""
    return Visit(request.cookies.get(_cookie(), ""), origin())


def keep(answer: Response, visit: Visit) -> Response:
    """The answer that brings the challenge, with the cookie."""
    answer.set_cookie(
        _cookie(),
        visit.browser,
        max_age=challenges.LIFETIME,
        secure=over_tls(),
        httponly=True,
        samesite="Strict",
    )
    return answer


def passkeys_work() -> bool:
    """Whether browsers make and use passkeys at the portal's address."""
    return passkeys.relying_party(origin()) is not None


def _cookie() -> str:
    return "__Host-visit" if over_tls() else "visit"
