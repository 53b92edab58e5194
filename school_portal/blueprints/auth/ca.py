"""Signing in with a CA key, for the program beside the browser's page (contract)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec
from flask import Response, current_app, flash, jsonify, request, session
from flask_login import login_user

from school_portal.blueprints import visits
from school_portal.blueprints.auth.blueprint import blueprint
from school_portal.blueprints.auth.onward import safe_next
from school_portal.blueprints.errors import problem
from school_portal.blueprints.identity import SignedIn, begin_writing, public
from school_portal.blueprints.limits import KEYS
from school_portal.extensions import db
from school_portal.extensions.web import csrf
from school_portal.security.ca.certificates import (
    Malformed,
    certificate_bytes,
    read_certificate,
    unbase64,
)
from school_portal.security.ca.verification import CaRefused, Code
from school_portal.services import challenges, key_sign_in
from school_portal.services.challenges import Use
from school_portal.services.key_sign_in import MayOpen, Purpose, Signed
from school_portal.services.portal import current_portal

MAX_SIZE = 64 * 1024  # bytes of a request
REFUSALS = {
    Code.CHALLENGE: "这次登录已超过两分钟，或已用过，请重新登录。",
    Code.SIGNATURE: "签名与证书不符，请确认选用的密钥后重新登录。",
    Code.UNTRUSTED: "证书不是由平台信任的机构签发，请选用上海 CA 签发的证书。",
    Code.EXPIRED: "证书或其签发机构的证书不在有效期内，请更新证书后重试。",
    Code.REVOKED: "证书或其签发机构的证书已被吊销，请联系发证机构。",
    Code.CRL_STALE: "平台的证书吊销列表已过期，暂时无法确认证书状态，请联系平台管理人员。",
    Code.KEY_USAGE: "证书不能用于身份认证，请选用签名证书。",
    Code.KEY_ID_MISSING: "证书中没有 keyID（通用实体唯一标识号），请联系发证机构。",
    Code.KEY_ID_UNKNOWN: "证书的 keyID 没有登记在任何学校账户上，请先用用户名登录，"
    "在“账户与权限”中办理开户或变更。",
    Code.ACCOUNT_NOT_OPEN: "学校账户目前不能这样使用，请联系市职业技能鉴定中心。",
    Code.KEY_NOT_ACCEPTED: "这把密钥是更新后的新密钥，须经市职业技能鉴定中心核准后才能使用，"
    "请联系该中心；核准前请用原来的密钥。",
}
MAY_OPEN = "学校账户已批准，尚未注册开户，请点“注册开户”，用同一密钥办理。"


class Request(msgspec.Struct):
    """The body of `POST /auth/ca/verify`; `next` is the page that was asked for."""

    certificate: Annotated[str, msgspec.Meta(max_length=32 * 1024)]
    signature: Annotated[str, msgspec.Meta(max_length=4096)]
    challenge: Annotated[str, msgspec.Meta(max_length=256)]
    purpose: Purpose | None = None
    next: Annotated[str, msgspec.Meta(max_length=2048)] = ""


class Invalid(Exception):
    """The request is malformed or too large."""


@blueprint.get("/ca/challenge")
@public
@KEYS
def ca_challenge() -> Response:
    portal = current_portal()
    if portal.trust is None:
        return _off()
    visit = visits.begun()
    begin_writing()
    challenge, expires_at = challenges.issue(db.session(), portal.clock(), visit, Use.CA_KEY)
    db.session.commit()
    answer = jsonify(challenge=challenge, expires_at=expires_at.isoformat(timespec="seconds"))
    return visits.keep(answer, visit)


@blueprint.post("/ca/verify")
@public
@csrf.exempt
@KEYS
def ca_verify() -> Response:
    portal = current_portal()
    if portal.trust is None:
        return _off()
    visit = visits.kept()
    try:
        given = _given()
        known = key_sign_in.sign_in(db.session(), portal, portal.trust, _signed(given), visit)
    except Invalid:
        return problem(400, "请求无法识别", "证书、签名或挑战码的格式不对。", "request.invalid")
    except CaRefused as refused:
        db.session.commit()
        may_open = isinstance(refused, MayOpen)
        told = MAY_OPEN if may_open else explained(refused, REFUSALS)
        return problem(403, "密钥登录未通过", told, refused.code, may_open=may_open)
    db.session.commit()
    session.clear()  # nothing from before the sign-in is kept
    login_user(SignedIn(*known))
    if given.purpose is Purpose.OPEN_ACCOUNT:
        flash("已注册开户，现在可以申请申报权限、上传名册。", "good")
    return jsonify(user=known[1].user.name, next=safe_next(given.next))


def explained(refused: CaRefused, refusals: Mapping[Code, str]) -> str:
    """Why and what to do: what is said of this key, else by the code; counted by the code."""
    current_app.extensions["meters"].refused_keys.labels(refused.code).inc()
    return refused.told or refusals[refused.code]


def _given() -> Request:
    """The request's body. Raises Invalid."""
    body = request.get_data()  # read on arrival, up to what any request may bring
    if len(body) > MAX_SIZE:
        raise Invalid
    try:
        given = msgspec.json.decode(body, type=Request)
        (given.challenge + given.next).encode()
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise Invalid from None
    return given


def _signed(given: Request) -> Signed:
    """What was signed. Raises Invalid."""
    try:
        certificate = read_certificate(certificate_bytes(given.certificate))
        return Signed(certificate, unbase64(given.signature), given.challenge, given.purpose)
    except Malformed:
        raise Invalid from None


def _off() -> Response:
    return problem(404, "没有启用密钥登录", "请用用户名和密码登录。", "ca.off")
