"""How often one visitor may do what costs much or tells much; docs/security/limits.md has them all.

Redis counts for all web processes. While it is away, or refuses to write, each counts for itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from flask import Flask, Response, request
from flask_login import current_user

from school_portal import bell
from school_portal.blueprints.http import address
from school_portal.config import Settings
from school_portal.domain.texts import trimmed
from school_portal.embedded_redis import redis_url
from school_portal.extensions.web import limiter
from school_portal.services.lockouts import keyed
from school_portal.services.portal import current_portal

P = ParamSpec("P")
R = TypeVar("R")


def by_address() -> str:
    """The visitor's address, as a keyed hash; one for all whose address is not known."""
    return _hashed("address", address() or "unknown")


def by_person() -> str:
    """Whoever is signed in, else the address."""
    return f"user:{current_user.actor.user_id}" if current_user.is_authenticated else by_address()


def by_name() -> str:
    """Whom an attempt is for, as a keyed hash."""
    return _hashed("name", trimmed(request.form.get("username", "")).casefold())


def _hashed(kind: str, text: str) -> str:
    return keyed(current_portal(), kind, text).hex()[:32]


def _was_refused(response: Response) -> bool:
    return response.status_code == 422


@dataclass(frozen=True, slots=True)
class Limit:
    """So many calls in that time, of all views together that carry it; beyond it 429."""

    name: str
    rate: str  # as Flask-Limiter reads it
    by: Callable[[], str] = by_person
    refused_only: bool = False

    def __call__(self, view: Callable[P, R]) -> Callable[P, R]:
        """For views, below their audience."""
        limited: Callable[P, R] = limiter.shared_limit(
            self.rate,
            scope=self.name,
            key_func=self.by,
            deduct_when=_was_refused if self.refused_only else None,
        )(view)
        return limited


SIGN_INS = Limit("sign-ins", "60 per minute", by_address, refused_only=True)
SIGN_INS_OF_A_NAME = Limit("sign-ins-of-a-name", "10 per 10 minutes", by_name, refused_only=True)
INVITATIONS = Limit("invitations", "60 per minute", by_address)
KEYS = Limit("keys", "600 per minute", by_address)  # the contract: 120 at the least
UPLOADS = Limit("uploads", "120 per 10 minutes")
PAPERS = Limit("papers", "300 per 10 minutes")
JOBS = Limit("jobs", "120 per 10 minutes")
PLANS = Limit("plans", "120 per minute")
SEARCHES = Limit("searches", "600 per minute")
NUMBERS = Limit("numbers", "300 per hour")

LIMITS = (
    SIGN_INS, SIGN_INS_OF_A_NAME, INVITATIONS, KEYS, UPLOADS, PAPERS, JOBS, PLANS, SEARCHES, NUMBERS
)  # fmt: skip

PATIENCE_SECONDS = 1.0  # with a Redis that does not answer: somebody waits for a page


def install(app: Flask, settings: Settings) -> None:
    """Before whatever else looks at a request."""
    counting = bell.connect(redis_url(settings), PATIENCE_SECONDS)
    app.config.update(
        RATELIMIT_STORAGE_URI="redis://",
        RATELIMIT_STORAGE_OPTIONS={"connection_pool": counting.connection_pool},
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True,
        RATELIMIT_STRATEGY="moving-window",
        RATELIMIT_HEADERS_ENABLED=True,
    )
    limiter.init_app(app)
