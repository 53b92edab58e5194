"""The page to which a receipt's address and code lead."""

from __future__ import annotations

from flask import render_template

from school_portal.blueprints.identity import begin_reading, public
from school_portal.blueprints.register.blueprint import blueprint
from school_portal.extensions import db
from school_portal.services.group_receipt import portal_key
from school_portal.services.portal import current_portal
from school_portal.services.verification import verify as look_up


@blueprint.get("/verify/<uid>")
@public
def verify(uid: str) -> str:
    begin_reading()
    found = look_up(db.session(), uid)
    key = portal_key(db.session(), current_portal()) if found.has_receipt_file else None
    return render_template("register/verify.html", found=found, portal_key=key)
