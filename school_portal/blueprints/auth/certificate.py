"""Signing in with a TLS client certificate that the proxy before this server has asked for."""

from __future__ import annotations

from urllib.parse import unquote

from flask import request

from school_portal.blueprints.auth.blueprint import blueprint
from school_portal.blueprints.auth.ca import REFUSALS, explained
from school_portal.blueprints.auth.onward import enter
from school_portal.blueprints.errors import Answer, answer
from school_portal.blueprints.identity import public
from school_portal.blueprints.limits import KEYS
from school_portal.extensions import db
from school_portal.extensions.proxy import client_certificate
from school_portal.security.ca.certificates import Malformed, certificate_bytes, read_certificate
from school_portal.security.ca.verification import CaRefused
from school_portal.services import key_sign_in
from school_portal.services.key_sign_in import MayOpen
from school_portal.services.portal import current_portal

MALFORMED = "请求中没有完好的客户端证书，请插入密钥、重新打开浏览器后再试，或换一种方式登录。"
MAY_OPEN = "学校账户已批准，尚未注册开户；开户须由密钥签名，请在登录页“用 CA 密钥登录”处办理。"
TITLE = "证书登录未通过"


@blueprint.post("/ca/tls")
@public
@KEYS
def ca_tls() -> Answer:
    portal = current_portal()
    if portal.trust is None:
        return answer(404, "没有启用证书登录", "请用用户名和密码登录。", "ca.off")
    try:
        certificate = read_certificate(certificate_bytes(unquote(client_certificate())))
        known = key_sign_in.sign_in_by_tls(db.session(), portal, portal.trust, certificate)
    except Malformed:
        return answer(400, TITLE, MALFORMED, "request.invalid")
    except CaRefused as refused:
        db.session.commit()
        told = MAY_OPEN if isinstance(refused, MayOpen) else explained(refused, REFUSALS)
        return answer(403, TITLE, told, refused.code)
    db.session.commit()
    return enter(known, request.form.get("next"))
