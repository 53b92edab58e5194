"""What a page's script asked for and did not get: said with its cause, and nothing is lost."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Site, sign_in

pytestmark = pytest.mark.browser

AWAY, BROKEN = "平台没有应答，请检查网络后重试。", "平台暂时无法使用，请稍后重试。"
TOO_OFTEN = "请在 7 秒之后再试；已保存的内容不受影响。"


def away(route: Route) -> None:
    route.abort()


def behind_a_proxy(route: Route) -> None:
    route.fulfill(status=502, content_type="text/html", body="<h1>Bad gateway</h1>")


def with_words(route: Route) -> None:
    document = {"title": "操作过于频繁", "detail": TOO_OFTEN, "code": "request.too-often"}
    route.fulfill(status=429, content_type="application/problem+json", body=json.dumps(document))


def another_page(route: Route) -> None:
    route.fulfill(status=200, content_type="text/html", body="<p>x</p><script>1</script>")


UNANSWERED = [
    pytest.param(away, AWAY, id="network"),
    pytest.param(behind_a_proxy, BROKEN, id="proxy"),
    pytest.param(with_words, TOO_OFTEN, id="server"),
]
Answer = Callable[[Route], None]


def draft(page: Page) -> None:
    sign_in(page, "zhang")
    page.goto("/school/evaluations")
    page.locator(".page-head").get_by_role("link", name="填写申请").click()
    save(page, "第一句")  # with which it becomes a draft
    page.reload()
    page.get_by_label("拼音首字母").wait_for()


def write(page: Page, text: str) -> None:
    page.get_by_label("联系地址").fill(text)
    page.get_by_label("申请学校意见").focus()


def save(page: Page, text: str) -> None:
    """Written, and what was written is kept."""
    sent = quote(text)
    with page.expect_response(lambda answer: sent in (answer.request.post_data or "")):
        write(page, text)
    page.wait_for_function("() => !document.querySelector('.htmx-request')")
    expect(page.locator("#saved")).to_contain_text("已保存")


def asks_before_leaving(page: Page) -> bool:
    return bool(
        page.evaluate("() => !dispatchEvent(new Event('beforeunload', {cancelable: true}))")
    )


def test_words_written_after_the_sign_in_ended_are_not_lost(page: Page, site: Site) -> None:
    draft(page)
    save(page, "第一")
    assert not asks_before_leaving(page)
    with closing(sqlite3.connect(site.home / "portal.db")) as database, database:
        database.execute("DELETE FROM sign_ins")
    write(page, "第二")
    expect(page.locator("#saved")).to_have_text(
        "没有保存：登录已结束或页面已过期，请先复制所写内容，再重新打开本页。"
    )
    assert asks_before_leaving(page)
    expect(page.get_by_label("联系地址")).to_have_value("第二")


@pytest.mark.parametrize(
    ("answer", "said"), [*UNANSWERED, pytest.param(another_page, BROKEN, id="another-page")]
)
def test_a_draft_that_was_not_saved_says_why(page: Page, answer: Answer, said: str) -> None:
    draft(page)
    page.route("**/edit", answer)
    write(page, "没有存下的字")
    expect(page.locator("#saved")).to_have_text(f"没有保存：{said}")
    assert asks_before_leaving(page)


@pytest.mark.parametrize(("answer", "said"), UNANSWERED)
def test_a_search_without_an_answer_is_no_empty_result(
    page: Page, answer: Answer, said: str
) -> None:
    draft(page)
    page.route("**/projects?*", answer)
    page.get_by_label("拼音首字母").fill("tys")
    expect(page.locator("#choices")).to_have_text(said)


def test_progress_leads_to_the_sign_in_page_when_the_sign_in_has_ended(page: Page) -> None:
    draft(page)
    page.route(
        "**/progress",
        lambda route: route.fulfill(
            status=401,
            content_type="application/problem+json",
            body=json.dumps({"detail": "登录后即可打开这个页面。", "code": "request.sign-in"}),
        ),
    )
    with page.expect_navigation():
        page.evaluate(
            """() => {
              const card = document.createElement("section");
              card.dataset.announce = "正在逐行检查名册";
              card.setAttribute("hx-get", "/school/jobs/1/progress");
              card.setAttribute("hx-trigger", "load");
              document.getElementById("main").append(card);
              htmx.process(card);
            }"""
        )


@pytest.mark.parametrize(("answer", "said"), UNANSWERED)
@pytest.mark.usefixtures("agent")
def test_a_key_sign_in_without_an_answer_says_why(page: Page, answer: Answer, said: str) -> None:
    page.goto("/auth/sign-in")
    page.get_by_text("用 CA 密钥登录").click()
    page.get_by_label("密钥", exact=True).select_option("key-1")
    page.route("**/challenge", answer)
    page.get_by_role("button", name="用密钥登录").click()
    expect(page.get_by_role("alert")).to_have_text(said)


@pytest.mark.parametrize(("answer", "said"), UNANSWERED)
def test_a_passkey_without_an_answer_says_why(
    page: Page, site: Site, answer: Answer, said: str
) -> None:
    page.goto(site.address.replace("127.0.0.1", "localhost") + "/auth/sign-in")
    page.route("**/passkey/options", answer)
    page.get_by_role("button", name="用通行密钥登录").click()
    expect(page.get_by_role("alert").filter(has_text=said)).to_be_visible()


@pytest.mark.parametrize(
    ("status", "body"),
    [(409, '{"error": "busy"}'), (200, "{}"), (200, "null"), (500, "<h1>no</h1>")],
    ids=["unknown-code", "nothing", "null", "no-document"],
)
def test_an_agent_that_answers_oddly_is_told_in_words(
    page: Page, site: Site, status: int, body: str
) -> None:
    page.route(
        f"http://127.0.0.1:{site.agent_port}/keys",
        lambda route: route.fulfill(
            status=status, body=body, headers={"Access-Control-Allow-Origin": "*"}
        ),
    )
    page.goto("/auth/sign-in")
    expect(page.locator("[data-key-state]")).to_contain_text("密钥程序没有完成")


def test_a_clause_that_cannot_be_fetched_opens_as_a_page(page: Page) -> None:
    sign_in(page, "zhang")
    page.route(
        "**/clauses/*",
        lambda route: route.abort() if "hx-request" in route.request.headers else route.continue_(),
    )
    page.evaluate("""document.getElementById("main").innerHTML =
        '<a href="/clauses/n17s-1" data-clause>依据</a>'""")
    page.get_by_role("link", name="依据").click()
    page.wait_for_url("**/clauses/n17s-1")
