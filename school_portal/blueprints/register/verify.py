"""The page to which a receipt's address and code lead, and the receipt's file."""

from __future__ import annotations

from io import BytesIO

from flask import Response, render_template
from flask_login import current_user

from school_portal.blueprints.downloads import attachment
from school_portal.blueprints.identity import (
    actor,
    audience,
    begin_reading,
    begin_writing,
    public,
)
from school_portal.blueprints.register.blueprint import blueprint
from school_portal.extensions import db
from school_portal.models import Role
from school_portal.security.canonical import canonical
from school_portal.services import verification
from school_portal.services.portal import current_portal
from school_portal.services.receipt_files import portal_key

READERS = (Role.SCHOOL, Role.TEACHING_OFFICE, Role.VOCATIONAL_DIVISION, Role.CENTRE)


@blueprint.get("/verify/<uid>")
@public
def verify(uid: str) -> str:
    begin_reading()
    session = db.session()
    paper = verification.find(session, uid)
    found = verification.verify(session, paper)
    return render_template(
        "register/verify.html",
        uid=uid,
        found=found,
        portal_key=portal_key(session, current_portal()) if found.is_signed else None,
        may_read=current_user.is_authenticated and verification.may_read(actor(), paper),
    )


@blueprint.get("/verify/<uid>/receipts/<digest>")
@audience(*READERS)
def receipt(uid: str, digest: str) -> Response:
    begin_writing()  # the certificate's keyID leaves the portal: on record
    session, portal = db.session(), current_portal()
    number, told = verification.file(session, portal, actor(), uid, digest)
    session.commit()
    return attachment(BytesIO(canonical(told)), f"回执-{number}.json", "application/json")
