"""Who is signed in: the cookie holds a random token, the server knows whose it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import Flask, abort, g, redirect, render_template, request, url_for
from flask_login import UserMixin, current_user
from sqlalchemy.exc import DBAPIError

from school_portal.blueprints import visits
from school_portal.blueprints.errors import TEXTS, Answer, problem, wants_page
from school_portal.blueprints.http import address
from school_portal.blueprints.rendering import moment
from school_portal.extensions import db
from school_portal.extensions.web import login
from school_portal.models import Role, School, SignIn, User, dialect
from school_portal.services import passkeys, second_factor, sign_ins
from school_portal.services.access import Actor
from school_portal.services.challenges import Use
from school_portal.services.lockouts import Locked
from school_portal.services.passkeys import Malformed
from school_portal.services.portal import current_portal
from school_portal.services.sign_ins import Duty

P = ParamSpec("P")
R = TypeVar("R")

OFFICES = {
    Role.TEACHING_OFFICE: "市教委教研室",
    Role.VOCATIONAL_DIVISION: "市教委职教处",
    Role.CENTRE: "市职业技能鉴定中心",
    Role.ADMIN: "系统管理",
}

# The fields of a form in which the password or a code is sent again, or a passkey's answer.
PROOF, PASSKEY = "proof", "passkey"
# The page on which a duty is done, first, and what else of it is open meanwhile.
DUTIES = {
    Duty.PASSWORD: ("settings.password", "settings.change_password"),
    Duty.SECOND_FACTOR: (
        "settings.second_factor",
        "settings.start_second_factor",
        "settings.confirm_second_factor",
        "settings.passkey_options",
        "settings.add_passkey",
    ),
}


DUTY_TEXTS = {
    Duty.PASSWORD: "请重新打开页面，更改初始密码后再继续。",
    Duty.SECOND_FACTOR: "请重新打开页面，设置第二重验证后再继续。",
}


class SignedIn(UserMixin):
    """A sign-in, as Flask-Login knows it; its id is the sign-in's token."""

    def __init__(self, token: str, found: SignIn, duty: Duty | None = None) -> None:
        user = found.user
        self.token = token
        self.sign_in_id = found.id
        self.name = user.name
        self.role = found.role
        self.roles = user.roles
        self.school_id = user.school_id
        self.organisation = (
            user.school.name if user.school else OFFICES.get(found.role, found.role.label)
        )
        self.actor = Actor.of(user, found.role)
        self.duty = duty

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
    with session.no_autoflush:  # nothing is written before the commit below
        kept = sign_ins.find(session, token, current_portal().clock())
        found = SignedIn(token, kept, sign_ins.duty(session, kept)) if kept else None
    if session.dirty:
        try:
            session.commit()
        except DBAPIError:  # somebody else writes, or the database may only be read
            session.rollback()
        if reads:
            begin_reading()
    g.person = found  # for the log
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
    g.code = "request.sign-in"
    # The query may hold what a form was filtered by: only the path comes back.
    onward = request.path if request.method == "GET" else None
    return redirect(url_for("auth.sign_in", next=onward))


def send_to_duty(duty: Duty) -> Answer:
    if not wants_page():
        return problem(403, "请先完成账户设置", DUTY_TEXTS[duty], "request.duty")
    return redirect(url_for(DUTIES[duty][0]))


def audience(*roles: Role) -> Callable[[Callable[P, R]], Callable[P, R | Answer]]:
    """For those roles alone: others are sent to the sign-in page, or refused."""

    def guard(view: Callable[P, R]) -> Callable[P, R | Answer]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Answer:
            if not current_user.is_authenticated:
                return send_to_sign_in()
            if current_user.duty and request.endpoint not in DUTIES[current_user.duty]:
                return send_to_duty(current_user.duty)
            if current_user.role not in roles:
                abort(403)
            return view(*args, **kwargs)

        guarded.audience = roles  # type: ignore[attr-defined]
        return guarded

    return guard


def fresh(view: Callable[P, R]) -> Callable[P, R | Answer]:
    """For decisive acts: who has not shown who they are for a while shows it again.

    The page that asks carries what was sent; sent again with the proof it goes on from there.
    """

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Answer:
        if request.method != "POST":
            return view(*args, **kwargs)
        portal, session = current_portal(), db.session()
        error, status = None, 403
        if PROOF in request.form:
            error, status = _prove()
            session.commit()
        if error is None and sign_ins.is_fresh(session, current_user.sign_in_id, portal.clock()):
            return view(*args, **kwargs)
        return _ask_proof(error, status)

    return guarded


def _prove() -> tuple[str | None, int]:
    """What is wrong with the proof, None where nothing is, and the answer's status."""
    sign_in_id: int = current_user.sign_in_id
    answer = request.form.get(PASSKEY)
    try:
        given = passkeys.read(answer, visits.kept(), Use.PASSKEY_PROOF) if answer else None
        fits = second_factor.prove(
            db.session(), current_portal(), sign_in_id, given or request.form[PROOF], address()
        )
    except Malformed:
        fits = False
    except Locked as locked:
        return paused(locked), 429
    return (None, 403) if fits else ("密码、验证码或通行密钥不对，请重试。", 422)


def paused(locked: Locked) -> str:
    """Until when nothing more is tried: in whole minutes, never too early."""
    until = moment(locked.until + timedelta(seconds=59))
    return f"不对的次数太多，已暂停验证，请在 {until} 之后再试。"


def _ask_proof(error: str | None, status: int) -> Answer:
    g.code = "request.proof"
    if not wants_page():
        return problem(status, "请再次确认身份", "这项操作须再次填写密码。", "request.proof")
    sent = [
        (name, value)
        for name, value in request.form.items(multi=True)
        if name not in (PROOF, PASSKEY, "csrf_token")
    ]
    page = render_template(
        "auth/prove.html",
        action=request.full_path.rstrip("?"),
        sent=sent,
        error=error,
        has_passkey=bool(db.session.get_one(User, current_user.actor.user_id).passkeys),
    )
    return page, status


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
