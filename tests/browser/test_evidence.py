"""Evidence in a real browser: a PDF is seen where it is judged, and runs nothing in our origin."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Site, sign_in

pytestmark = pytest.mark.browser

VIEWER = "chrome-extension://"  # the browser's own viewer of PDFs


@pytest.mark.usefixtures("agent")
def test_a_pdf_is_seen_on_the_case_page(page: Page) -> None:
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    sign_in(page, "centre")
    with page.expect_event("framenavigated", lambda frame: frame.url.startswith(VIEWER)):
        page.goto("/office/evaluations/1")
        file = page.locator(".file iframe").first
        expect(file).to_be_visible()
        file.scroll_into_view_if_needed()
    assert told == []


def test_on_a_phone_it_opens_in_a_tab(browser: Browser, site: Site) -> None:
    context = browser.new_context(
        base_url=site.address, viewport={"width": 360, "height": 740}, locale="zh-CN"
    )
    page = context.new_page()
    sign_in(page, "centre")
    page.goto("/office/evaluations/1")
    expect(page.locator(".file iframe").first).to_be_hidden()
    with context.expect_page() as opened:
        page.get_by_role("link", name="在新标签页打开").first.click()
    assert "/programmes/" in opened.value.url
    context.close()
