"""Where somebody goes after signing in, by way of the code where one is awaited."""

from __future__ import annotations

from flask import current_app, redirect, session, url_for
from flask_login import login_user
from werkzeug.wrappers import Response as Redirect

from school_portal.blueprints.identity import SignedIn
from school_portal.extensions import db
from school_portal.models import SignIn
from school_portal.services import sign_ins
from school_portal.services.portal import current_portal
from school_portal.services.sign_ins import Opened

AWAITED = "awaited"  # of the session: the sign-in whose code is awaited


def safe_next(target: str | None) -> str:
    """A path of this portal to return to; the entrance for anything else."""
    home = url_for("entrance.entrance")
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return home
    adapter = current_app.url_map.bind("localhost")
    return target if "\\" not in target and adapter.test(target, method="GET") else home


def awaited_sign_in() -> SignIn | None:
    """The sign-in of this browser whose code is awaited."""
    return sign_ins.awaiting_code(db.session(), session.get(AWAITED, ""), current_portal().clock())


def enter(known: Opened, target: str | None) -> Redirect:
    """On to where the person was going, by way of the code where one is awaited."""
    session.clear()  # nothing from before the sign-in is kept
    token, opened = known
    if opened.proved_at is None:
        session[AWAITED] = token
        return redirect(url_for("auth.code", next=target or None))
    login_user(SignedIn(token, opened))
    return redirect(safe_next(target))
