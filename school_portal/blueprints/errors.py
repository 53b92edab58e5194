"""Errors: pages for people, problem documents (RFC 9457) for programs, each with its request id."""

from __future__ import annotations

from contextlib import suppress
from math import ceil
from time import time
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, current_app, g, json, redirect, render_template, request
from flask_limiter import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import ClientDisconnected, HTTPException, InternalServerError
from werkzeug.wrappers import Response as WerkzeugResponse

from importers.sandbox import ReaderLost
from school_portal.blueprints.http import request_id, within
from school_portal.blueprints.pages import page_of
from school_portal.extensions.web import limiter
from school_portal.logs import described
from school_portal.models.dialect import is_away
from school_portal.services.access import NotFound, Refused
from school_portal.storage import StorageFailed

Answer = tuple[str, int] | WerkzeugResponse
Failure = tuple[type, BaseException, TracebackType] | tuple[None, None, None]
log = structlog.get_logger()

# What a refusal answers with: each is written to the log (ASVS 5.0, 16.3.2 and 16.3.3).
REFUSALS = frozenset({400, 401, 403, 404, 405, 408, 409, 413, 429})

# Status: what happened, what to do.
TEXTS = {
    400: ("请求无法识别", "请返回上一页，重新填写后再提交。"),
    401: ("请先登录", "登录后即可打开这个页面。"),
    403: ("您的账户不能打开这个页面", "如果工作需要，请联系本单位的平台管理人员。"),
    404: ("没有找到这个页面", "地址可能已经失效，或者内容不属于您的单位。请从首页重新进入。"),
    405: ("这个地址不能这样打开", "请从页面上的按钮或链接进入。"),
    408: (
        "没有收完，未接收",
        "网络中断或太慢，发送的内容没有全部收到；已保存的内容不受影响，请稍后重新提交。",
    ),
    413: ("文件太大，未接收", "名册文件不能超过 50 MB，请删去无关内容或分成几个文件后重新上传。"),
    500: (
        "系统出现问题，这次操作没有完成",
        "已保存的数据不受影响，请稍后重试；仍然不行时，请把请求编号告诉管理员。",
    ),
    503: (
        "系统暂时无法使用",
        "数据库没有应答，这次操作没有完成；已保存的内容不受影响，请过一分钟再试。",
    ),
}
RETRY_SECONDS = 60
PASSING = (StorageFailed, ReaderLost)  # they say in Chinese what happened
TOO_OFTEN = ("操作过于频繁", "请在 {}之后再试；已保存的内容不受影响。")
CSRF_TEXT = (
    "页面已过期，没有提交",
    "请返回上一页，刷新后重新提交。已上传的文件和已保存的内容不受影响。",
)


def wants_page() -> bool:
    """Whether a person asks: browsers name text/html, programs and a page's own script do not."""
    return "text/html" in request.headers.get("Accept", "") and "HX-Request" not in request.headers


def problem(
    status: int, title: str, detail: str, code: str | None = None, **more: object
) -> Response:
    """A problem document."""
    g.code = code
    document = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "request_id": request_id(),
        **({"code": code} if code else {}),
        **more,
    }
    return Response(json.dumps(document), status=status, content_type="application/problem+json")


def answer(status: int, title: str, detail: str, code: str | None = None) -> Answer:
    """The page or the document that tells the error."""
    g.code = code
    if not wants_page():
        return problem(status, title, detail, code)
    told = {"title": title, "detail": detail, "number": request_id()}
    if status < 500:
        with suppress(SQLAlchemyError):  # who is signed in, and what waits for them
            return render_template("errors/error.html", **told, back=_back()), status
    # Not `render_template`: that asks the database who is signed in, and it may be what failed.
    return current_app.jinja_env.get_template("errors/failure.html").render(told), status


def _back() -> str | None:
    """The page of this portal that the request came from, at an address that opens."""
    try:
        came_from = urlsplit(request.referrer or "")
    except ValueError:  # a host that is none
        return None
    page = page_of(came_from.path) if came_from.netloc == request.host else None
    return within(came_from._replace(fragment="")) if page == came_from.path else page


def on_http_error(error: HTTPException) -> Answer:
    status = error.code or 500
    if status < 400 or error.response is not None:  # the router's redirect, or an answer at hand
        return error.get_response()
    page = page_of(request.path) if (status, request.method) == (405, "GET") else None
    if page and wants_page():
        return redirect(page)  # what was answered there is not asked again
    return answer(status, *TEXTS.get(status, TEXTS[400 if status < 500 else 500]))


def on_too_often(_: RateLimitExceeded) -> Answer:
    """What was asked for too often; the header `Retry-After` has the seconds (see http)."""
    reached = limiter.current_limit
    seconds = max(1, int(reached.reset_at - time())) if reached else 60
    title, detail = TOO_OFTEN
    wait = f"{seconds} 秒" if seconds < 60 else f"{ceil(seconds / 60)} 分钟"
    return answer(429, title, detail.format(wait), "request.too-often")


def on_disconnected(_: ClientDisconnected) -> Answer:
    return answer(408, *TEXTS[408], "request.incomplete")


def on_csrf_error(_: CSRFError) -> Answer:
    return answer(400, *CSRF_TEXT, "request.csrf")


def on_not_found(_: NotFound) -> Answer:
    return answer(404, *TEXTS[404], "request.not-found")


def on_refusal(refusal: Refused) -> Answer:
    return answer(409, "现在不能这样做", str(refusal), "request.refused")


def on_failure(failed: InternalServerError) -> Answer | Response:
    """Ours; what may pass is told so."""
    cause = failed.original_exception
    if is_away(cause):
        told = answer(503, *TEXTS[503], "database.away")
    elif isinstance(cause, PASSING):
        told = answer(503, TEXTS[503][0], str(cause), "request.unavailable")
    else:
        return answer(500, *TEXTS[500])
    told = current_app.make_response(told)
    told.headers["Retry-After"] = str(RETRY_SECONDS)
    return told


def note_refusal(response: Response) -> Response:
    """One line for each request that was refused, and nothing of what was asked with it."""
    code = g.get("code")
    if response.status_code in REFUSALS or code == "request.sign-in":
        log.warning("request.refused", status=response.status_code, code=code, **_asked())
    return response


def note_failure(failure: Failure) -> None:
    """In place of Flask's own line, which has the path and the exception's text."""
    log.error("request.failed", **_asked(), **(described(failure[1]) if failure[1] else {}))


def _asked() -> dict[str, Any]:
    """Who asked for what, by the route's pattern."""
    person = g.get("person")
    return {
        "method": request.method,
        "route": request.url_rule.rule if request.url_rule else None,
        "user": person.actor.user_id if person else None,
        "role": person.role.value if person else None,
        "request": request_id(),
    }


def register(app: Flask) -> None:
    app.after_request(note_refusal)
    app.log_exception = note_failure  # type: ignore[method-assign, assignment]
    app.register_error_handler(HTTPException, on_http_error)
    app.register_error_handler(RateLimitExceeded, on_too_often)
    app.register_error_handler(ClientDisconnected, on_disconnected)
    app.register_error_handler(CSRFError, on_csrf_error)
    app.register_error_handler(NotFound, on_not_found)
    app.register_error_handler(Refused, on_refusal)
    app.register_error_handler(InternalServerError, on_failure)
