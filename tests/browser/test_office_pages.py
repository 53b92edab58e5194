"""Every page of the offices and the experts at both widths: accessible, nothing to scroll."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Site, faults, sign_in

pytestmark = pytest.mark.browser

# By who opens them; the numbers are places in tests/factories/evaluation.py:stages.
PAGES = [
    *(("centre", path) for path in (
        "/office/evaluations", "/office/evaluations/1", "/office/evaluations/3",
        "/office/evaluations/5", "/office/evaluations/2/panel", "/office/evaluations/4/seal",
        "/office/evaluations/3/panel/1/recuse", "/office/evaluations/3/panel/3/replace",
        "/office/experts", "/office/experts/new", "/office/experts/1",
    )),
    *(("teaching_office", path) for path in (
        "/office/evaluations/1", "/office/evaluations/1/return", "/office/evaluations/1/refuse",
        "/office/evaluations?q=nothing", "/office/lines", "/office/lines/1",
        "/office/lines/1/revoke", "/office/lines/1/end",
    )),
    *(("e0", path) for path in (
        "/expert/reviews", "/expert/reviews/1", "/expert/reviews/1/recuse", "/expert/reviews/4",
    )),
    ("e2", "/expert/reviews/3"),
    ("centre", "/centre/schools/2"),
    ("centre", "/centre/schools/2/keys/1/refuse"),
    ("admin", "/settings/ca"),
]  # fmt: skip


@pytest.fixture(params=[360, 1440])
def opened(request: pytest.FixtureRequest, browser: Browser, site: Site) -> Iterator[Page]:
    context = browser.new_context(
        base_url=site.address, viewport={"width": request.param, "height": 900}, locale="zh-CN"
    )
    yield context.new_page()
    context.close()


@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize("who", ["centre", "teaching_office", "e0", "e2", "admin"])
def test_pages(opened: Page, who: str) -> None:
    told: list[str] = []
    opened.on("console", lambda message: told.append(message.text))
    sign_in(opened, who)
    for path in [path for role, path in PAGES if role == who]:
        opened.goto(path)
        assert opened.get_by_role("heading", level=1).count() == 1, path
        assert faults(opened) == [], path
        assert opened.locator(".btn-primary").count() <= 1, path
    assert told == []


def test_an_expert_keeps_a_draft_by_keyboard(page: Page) -> None:
    sign_in(page, "e1")
    page.goto("/expert/reviews/2")
    page.get_by_role("radio", name="不通过").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("课时不足")
    page.get_by_role("button", name="保存草稿").press("Enter")
    expect(page.get_by_text("草稿已保存，还没有提交")).to_be_visible()
    expect(page.get_by_role("radio", name="不通过")).to_be_checked()
    expect(page.get_by_label("第 1 项理由")).to_have_value("课时不足")
