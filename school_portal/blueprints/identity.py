"""Who is signed in: the cookie holds a random token, the server knows whose it is."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import Flask, abort, redirect, request, url_for
from flask_login import UserMixin, current_user
from sqlalchemy.exc import OperationalError

from school_portal.blueprints.errors import TEXTS, Answer, problem, wants_page
from school_portal.extensions import db
from school_portal.extensions.web import login
from school_portal.models import Role, School, User, dialect
from school_portal.services import accounts
from school_portal.services.access import Actor
from school_portal.services.portal import current_portal

P = ParamSpec("P")
R = TypeVar("R")

OFFICES = {
    Role.TEACHING_OFFICE: "市教委教研室",
    Role.VOCATIONAL_DIVISION: "市教委职教处",
    Role.CENTRE: "市职业技能鉴定中心",
    Role.ADMIN: "系统管理",
}


class SignedIn(UserMixin):
    """A sign-in, as Flask-Login knows it; its id is the sign-in's token."""

    def __init__(self, token: str, user: User) -> None:
        self.token = token
        self.name = user.name
        self.role = user.role
        self.school_id = user.school_id
        self.organisation = (
            user.school.name if user.school else OFFICES.get(user.role, user.role.label)
        )
        self.actor = Actor.of(user)

    def get_id(self) -> str:
        return self.token


def signed_in(token: str) -> SignedIn | None:
    """The sign-in of that token while it is in force.

    A page that only reads does not wait for a writer: that the person was here is noted while
    nobody else writes, else at the next page.
    """
    session = db.session()
    reads = request.method in ("GET", "HEAD")
    if reads:
        begin_reading()
    user = accounts.user_of(session, token, current_portal().clock())
    found = SignedIn(token, user) if user else None
    if session.dirty:
        try:
            session.commit()
        except OperationalError:
            session.rollback()
        if reads:
            begin_reading()
    return found


def begin_reading() -> None:
    """For a page that reads: it sees one state, beside a writer."""
    session = db.session()
    if not session.in_transaction():
        dialect.read_only(session)


def begin_writing() -> None:
    """Before a page that is fetched, and yet leaves a trace, writes."""
    db.session.rollback()


def send_to_sign_in() -> Answer:
    if not wants_page():
        return problem(401, *TEXTS[401], "request.sign-in")
    # The query may hold what a form was filtered by: only the path comes back.
    onward = request.path if request.method == "GET" else None
    return redirect(url_for("auth.sign_in", next=onward))


def audience(*roles: Role) -> Callable[[Callable[P, R]], Callable[P, R | Answer]]:
    """For those roles alone: others are sent to the sign-in page, or refused."""

    def guard(view: Callable[P, R]) -> Callable[P, R | Answer]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Answer:
            if not current_user.is_authenticated:
                return send_to_sign_in()
            if current_user.role not in roles:
                abort(403)
            return view(*args, **kwargs)

        guarded.audience = roles  # type: ignore[attr-defined]
        return guarded

    return guard


def public(view: Callable[P, R]) -> Callable[P, R]:
    """For everybody, signed in or not; a route names this or its audience."""
    view.public = True  # type: ignore[attr-defined]
    return view


def actor() -> Actor:
    """Whoever asks."""
    found: Actor = current_user.actor
    return found


def own_school() -> School:
    """The school of whoever asks."""
    return db.session.get_one(School, current_user.school_id)


def register(app: Flask) -> None:
    login.init_app(app)
    login.session_protection = None  # the server's own table ends a sign-in
    login.user_loader(signed_in)
