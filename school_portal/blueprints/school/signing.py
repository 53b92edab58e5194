"""What a form with a signature brings, and what is said where the key is refused."""

from __future__ import annotations

from flask import request

from school_portal.blueprints.auth.ca import REFUSALS, explained
from school_portal.blueprints.errors import Answer, answer
from school_portal.blueprints.http import origin
from school_portal.blueprints.school.blueprint import blueprint
from school_portal.extensions import db
from school_portal.security.ca.certificates import (
    Malformed,
    certificate_bytes,
    read_certificate,
    unbase64,
)
from school_portal.security.ca.verification import CaRefused, Code
from school_portal.services.access import Refused
from school_portal.services.group_submission import Signed
from school_portal.services.school_keys import NotAccepted

MAX_SIZE = 64 * 1024  # characters of a field
SIGNING_REFUSALS = {
    **REFUSALS,
    Code.SIGNATURE: "签名与证书或现在的内容不符：内容有改动，或选错了密钥。请刷新页面重新签名。",
    Code.KEY_ID_UNKNOWN: "证书的 keyID 不是本校账户登记的那一个，请用本校的密钥签名。",
}


def signed() -> Signed:
    """The form's certificate and signature. Raises Refused where they are missing or malformed."""
    given = [request.form.get(name, "") for name in ("certificate", "signature")]
    if not all(given):
        raise Refused(
            "没有收到签名，没有提交。请确认密钥已插入、签名程序已运行，刷新页面后重新签名。"
        )
    try:
        if max(map(len, given)) > MAX_SIZE:
            raise Malformed("too long")
        certificate = read_certificate(certificate_bytes(given[0]))
        return Signed(certificate, unbase64(given[1]), origin())
    except Malformed:
        raise Refused("证书或签名的格式不对，没有提交。请刷新页面后重新签名。") from None


@blueprint.app_errorhandler(CaRefused)
def on_refused_key(refused: CaRefused) -> Answer:
    if isinstance(refused, NotAccepted):
        db.session.commit()  # nothing else was changed yet
    told = explained(refused, SIGNING_REFUSALS)
    return answer(403, "签名未通过，没有提交", told, refused.code)
