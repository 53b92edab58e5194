"""Who may open what: signing in, other schools' objects, forged and mistaken requests."""

from __future__ import annotations

import pytest
import structlog
from flask import Flask
from sqlalchemy.orm import Session

from school_portal.blueprints.ops import routes as ops
from school_portal.config import Settings
from school_portal.domain.workflow import Role
from school_portal.services.portal import Portal
from school_portal.storage import Storage
from tests.factories.operation import Operation, running
from tests.factories.visitor import HTML, Visitor, user


@pytest.fixture
def operation(session: Session, portal: Portal) -> Operation:
    made = running(session)
    user(session, portal, "zhang", school=made.school)
    user(session, portal, "li", school=made.other)
    session.commit()
    return made


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return Visitor(app)


def test_everybody_is_sent_to_the_sign_in_page(visitor: Visitor) -> None:
    answer = visitor.get("/", follow=False)
    assert answer.location == "/auth/sign-in"


def test_sign_in_and_out(visitor: Visitor, operation: Operation) -> None:
    assert "下一步做什么" in visitor.sign_in("zhang").get_data(as_text=True)
    with visitor.client.session_transaction() as before:
        before["planted"] = True
    answer = visitor.post("/auth/sign-out", follow=False)
    with visitor.client.session_transaction() as after:
        assert "planted" not in after
    assert answer.headers["Clear-Site-Data"] == '"storage"'
    assert "您已退出" in visitor.text(answer.location)
    assert visitor.get("/school/", follow=False).status_code == 302


@pytest.mark.parametrize("username, password", [("zhang", "wrong"), ("nobody", "wrong")])
def test_a_wrong_password_and_an_unknown_name_look_the_same(
    visitor: Visitor, operation: Operation, username: str, password: str
) -> None:
    answer = visitor.sign_in(username, password)
    assert answer.status_code == 422
    assert "用户名或密码不对" in answer.get_data(as_text=True)


def test_attempts_are_limited(visitor: Visitor, operation: Operation) -> None:
    answers = [visitor.sign_in("zhang", "wrong").status_code for _ in range(11)]
    assert answers == [422] * 5 + [429] * 6


@pytest.mark.parametrize(
    "target, location",
    [
        ("/school/rosters", "/school/rosters"),
        ("/school/applications/plan", "/school/applications/plan"),
        ("//elsewhere.example/", "/"),
        ("/\\elsewhere.example", "/"),
        ("https://elsewhere.example/", "/"),
        ("/school/applications/generate", "/"),
        ("/nowhere", "/"),
        ("/\t/elsewhere.example", "/"),
        ("\t//elsewhere.example", "/"),
        ("/school/rosters\r\nX-Planted: y", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_one_returns_to_pages_of_the_portal_alone(
    visitor: Visitor, operation: Operation, target: str, location: str
) -> None:
    answer = visitor.post(
        "/auth/sign-in",
        follow=False,
        username="zhang",
        password="correct horse battery",
        next=target,
    )
    assert answer.location == location


def test_the_session_begins_anew_at_the_sign_in(visitor: Visitor, operation: Operation) -> None:
    with visitor.client.session_transaction() as before:
        before["planted"] = True
    visitor.sign_in("zhang")
    with visitor.client.session_transaction() as after:
        assert "planted" not in after


def test_an_office_is_told_what_is_there_for_it(
    visitor: Visitor, session: Session, portal: Portal
) -> None:
    user(session, portal, "wang", role=Role.CENTRE)
    assert "市职业技能鉴定中心" in visitor.sign_in("wang").get_data(as_text=True)
    assert visitor.get("/school/").status_code == 403


def test_a_form_without_its_token_is_refused(visitor: Visitor, operation: Operation) -> None:
    visitor.sign_in("zhang")
    answer = visitor.send("POST", "/school/applications/generate", headers=HTML)
    assert answer.status_code == 400
    assert "页面已过期" in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    "path, status", [("/nowhere", 404), ("/school/applications/generate", 405), ("/school/", 401)]
)
def test_programs_get_problem_documents(app: Flask, path: str, status: int) -> None:
    answer = Visitor(app).send("GET", path, headers={"X-Request-Id": "request-12345"})
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert answer.json is not None
    assert answer.json["status"] == status
    assert answer.json["request_id"] == answer.headers["X-Request-Id"] == "request-12345"


def test_an_address_that_is_only_sent_to_opens_its_page(visitor: Visitor) -> None:
    answer = visitor.get("/school/applications/7/submit", follow=False)
    assert (answer.status_code, answer.location) == (302, "/school/applications/7")
    assert visitor.get("/school/applications/generate").status_code == 405


@pytest.mark.parametrize(
    "came_from, back",
    [
        ("/register?page=2", 'href="/register?page=2"'),
        ("/school/applications/7/submit", 'href="/school/applications/7"'),
        ("/school/applications/generate", ""),
        ("//elsewhere.example/", ""),
    ],
)
def test_the_way_back_is_a_page_that_opens(visitor: Visitor, came_from: str, back: str) -> None:
    site = "http:" if came_from.startswith("//") else "http://localhost"
    text = visitor.get("/nowhere", headers={"Referer": site + came_from}).get_data(as_text=True)
    assert ("返回上一页" in text) == bool(back)
    assert back in text


def test_people_get_pages_with_a_way_on(visitor: Visitor) -> None:
    answer = visitor.get("/nowhere", headers={"X-Request-Id": "bad id"})
    text = answer.get_data(as_text=True)
    assert answer.status_code == 404
    assert "没有找到这个页面" in text
    assert "回到首页" in text
    assert len(answer.headers["X-Request-Id"]) == 32


def test_a_failure_shows_no_trace(app: Flask) -> None:
    app.config.update(PROPAGATE_EXCEPTIONS=False)

    @app.get("/fails")
    def fails() -> str:
        raise RuntimeError("310104200903140026")

    with structlog.testing.capture_logs() as lines:
        answer = Visitor(app).get("/fails")
    (line,) = lines
    assert (line["event"], line["error"], line["route"]) == (
        "request.failed",
        "RuntimeError",
        "/fails",
    )
    assert line["at"][-1].endswith(" fails") and "310104" not in str(line)
    text = answer.get_data(as_text=True)
    assert answer.status_code == 500
    assert "请求编号" in text
    assert "310104" not in text
    assert "Traceback" not in text


def test_headers_of_every_answer(visitor: Visitor) -> None:
    answer = visitor.get("/auth/sign-in")
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Strict-Transport-Security" not in answer.headers
    text = answer.get_data(as_text=True)
    assert " style=" not in text
    assert "<style" not in text
    assert "onclick" not in text


def test_over_tls_the_cookie_is_bound_to_the_host(app: Flask) -> None:
    answer = Visitor(app).send("GET", "/auth/sign-in", base_url="https://localhost", headers=HTML)
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-session=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")


def test_static_files_may_be_kept(visitor: Visitor) -> None:
    text = visitor.text("/auth/sign-in")
    address = text.split('rel="stylesheet" href="')[1].split('"')[0]
    assert "immutable" in visitor.get(address).headers["Cache-Control"]


def test_health(visitor: Visitor) -> None:
    assert visitor.get("/healthz").json == {"status": "ok"}


def test_readiness_names_what_does_not_answer(visitor: Visitor, settings: Settings) -> None:
    answer = visitor.get("/readyz")  # no Redis is up in this test
    assert answer.status_code == 503
    assert answer.content_type == "application/problem+json"
    assert answer.json is not None
    assert answer.json["failing"] == ["redis"]


def test_who_asks_often_is_told_what_was_seen_a_moment_ago(
    visitor: Visitor, portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each look writes to the storage and to Redis, and anybody may ask."""
    looks: list[float] = []
    moment = [1000.0]
    monkeypatch.setattr(ops, "monotonic", lambda: moment[0])
    monkeypatch.setattr(Storage, "probe", lambda _: looks.append(moment[0]))
    for seconds in (0, 1, ops.LOOK_SECONDS, 0.5, 4.5, 1):
        moment[0] += seconds
        assert visitor.get("/readyz").status_code == 503
    assert looks == [1000.0, 1006.0, 1012.0]


def test_metrics_are_for_this_machine_and_hold_nothing_personal(
    visitor: Visitor, operation: Operation
) -> None:
    visitor.sign_in("zhang")
    visitor.get("/school/")
    text = visitor.get("/metrics").get_data(as_text=True)
    assert 'portal_jobs{state="queued"} 0.0' in text
    assert 'endpoint="school.home"' in text
    assert "zhang" not in text
    assert visitor.get("/metrics", headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 404
