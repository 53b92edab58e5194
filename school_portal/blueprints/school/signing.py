"""What a form with a signature brings, what stands in for it, what a refused key is told."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import request

from school_portal.blueprints.auth.ca import REFUSALS, explained
from school_portal.blueprints.errors import Answer, answer
from school_portal.blueprints.http import origin
from school_portal.blueprints.identity import actor, fresh, own_school
from school_portal.blueprints.school.blueprint import blueprint
from school_portal.extensions import db
from school_portal.security.ca.certificates import (
    Malformed,
    certificate_bytes,
    read_certificate,
    unbase64,
)
from school_portal.security.ca.verification import Code
from school_portal.services import signed_papers
from school_portal.services.access import Refused
from school_portal.services.portal import current_portal
from school_portal.services.signed_papers import NotSigned, Signed

P = ParamSpec("P")
R = TypeVar("R")

MAX_SIZE = 64 * 1024  # characters of a field
SIGNING_REFUSALS = {
    **REFUSALS,
    Code.SIGNATURE: "签名与证书或现在的内容不符：内容有改动，或选错了密钥。请刷新页面重新签名。",
}


def signed() -> Signed | None:
    """The form's certificate and signature, None where it has none. Raises Refused."""
    given = [request.form.get(name, "") for name in ("certificate", "signature")]
    if not all(given):
        return None
    try:
        if max(map(len, given)) > MAX_SIZE:
            raise Malformed("too long")
        certificate = read_certificate(certificate_bytes(given[0]))
        return Signed(certificate, unbase64(given[1]), origin())
    except Malformed:
        raise Refused("证书或签名的格式不对，没有提交。请刷新页面后重新签名。") from None


def signed_or_proved(view: Callable[P, R]) -> Callable[P, R | Answer]:
    """For papers of a school without a key of its own: who sends them shows again who they are."""
    proved = fresh(view)

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Answer:
        needed = signed_papers.proof_needed(current_portal(), own_school())
        return (proved if needed else view)(*args, **kwargs)

    return guarded


@blueprint.app_errorhandler(NotSigned)
def on_refused_key(refused: NotSigned) -> Answer:
    session = db.session()
    if refused.code is not Code.KEY_NOT_ACCEPTED:  # that it waits stays; nothing else was changed
        session.rollback()
    signed_papers.note_refusal(session, current_portal(), actor(), refused)
    session.commit()
    told = explained(refused, SIGNING_REFUSALS)
    return answer(403, "签名未通过，没有提交", told, refused.code)
