"""What templates may use: dates, sizes, states and addresses as people read them."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Flask, current_app, g, request, url_for

from school_portal.blueprints.clauses import cited
from school_portal.blueprints.http import framed, key_agent
from school_portal.blueprints.looks import Look, state_look, state_tabs
from school_portal.blueprints.navigation import navigation, section, unread_notices
from school_portal.blueprints.pages import this_page
from school_portal.blueprints.paging import for_print
from school_portal.blueprints.visits import passkeys_work
from school_portal.domain.school_key import fingerprint
from school_portal.domain.windows import TZ
from school_portal.extensions import db
from school_portal.extensions.proxy import client_certificate
from school_portal.services.calendars import Reckoning, calendar
from school_portal.services.portal import current_portal

PORTAL_NAME = "职业技能评价团体申报平台"
_WEEKDAYS = "一二三四五六日"


def day(value: date | datetime | None, none: str = "—") -> str:
    """2026-10-15（周四）, in Shanghai."""
    if value is None:
        return none
    if isinstance(value, datetime):
        value = value.astimezone(TZ).date()
    return f"{value:%Y-%m-%d}（周{_WEEKDAYS[value.weekday()]}）"


def moment(value: datetime | None) -> str:
    """2026-10-15（周四）14:32, in Shanghai."""
    return f"{day(value)}{value.astimezone(TZ):%H:%M}" if value else "—"


def grouped(masked: str) -> str:
    """A masked document number in groups: 310104 ******** 0026."""
    return f"{masked[:6]} {masked[6:-4]} {masked[-4:]}" if len(masked) == 18 else masked


def size(octets: int) -> str:
    """12 KB, 3.4 MB."""
    if octets < 1024 * 1024:
        return f"{max(1, round(octets / 1024))} KB"
    return f"{octets / 1024 / 1024:.1f} MB"


def here(**changes: Any) -> str:
    """This page's address with some of its choices changed; None removes one."""
    return this_page() + address_query(**changes)


def address_query(**changes: Any) -> str:
    """This page's choices, some of them changed, as an address ends with them.

    They are the visitor's words: never arguments of `url_for`, which has options of its own.
    """
    kept = {**request.args, **changes}
    query = urlencode([(name, value) for name, value in kept.items() if value is not None])
    return f"?{query}" if query else ""


@cache
def _digest(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12]


def asset(name: str) -> str:
    """A static file's address, with its content's hash: it may be kept for ever."""
    return url_for("static", filename=name, v=_digest(f"{current_app.static_folder}/{name}"))


def reckoning() -> Reckoning:
    """The day of this request and the working days known, read once for all of a page's dates."""
    if "reckoning" not in g:
        session = db.session()
        with session.no_autoflush:  # a page of a refused change writes nothing
            known = calendar(session)
        g.reckoning = Reckoning(known, current_portal().today())
    found: Reckoning = g.reckoning
    return found


def register(app: Flask) -> None:
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        day=day, moment=moment, grouped=grouped, fingerprint=fingerprint, size=size
    )
    app.jinja_env.globals.update(
        portal_name=PORTAL_NAME,
        look=Look,
        state_look=state_look,
        state_tabs=state_tabs,
        here=here,
        address_query=address_query,
        client_certificate=client_certificate,
        key_agent=key_agent,
        framed=framed,
        passkeys_work=passkeys_work,
        asset=asset,
        cited=cited,
        navigation=navigation,
        unread_notices=unread_notices,
        section=section,
        reckoning=reckoning,
        for_print=for_print,
    )
