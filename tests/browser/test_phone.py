"""What can be pressed is large enough, and on a phone the page's one action is at hand."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Site, sign_in
from tests.browser.test_office_pages import PAGES

pytestmark = pytest.mark.browser

# What can be pressed and is lower than `least`: links inside a sentence are as high as its lines.
# What labels a box belongs to it.
SMALL = """least => {
  const seen = (one) => one.checkVisibility() && one.getClientRects().length;
  const height = (one) => {
    const all = [one, ...(one.labels ?? [])].filter(seen);
    return Math.max(...all.map((each) => each.getBoundingClientRect().height));
  };
  const inText = (one) =>
    one.tagName === "A" && getComputedStyle(one).display.startsWith("inline") &&
    one.parentElement.closest("p, li, dd, td, span, ul, .page-note, .foot")?.textContent.trim()
      !== one.textContent.trim();
  const skipped = (one) => one.closest(".skip, .visually-hidden, dialog:not([open])");
  return [...document.querySelectorAll("a[href], button, input, select, textarea, summary")]
    .filter((one) => one.type !== "hidden" && seen(one) && !skipped(one) && !inText(one))
    .filter((one) => height(one) < least - 0.5)
    .map((one) => `${one.outerHTML.slice(0, 90)} ${height(one)}`);
}"""


@pytest.mark.parametrize(("width", "least"), [(360, 44), (1440, 24)])
@pytest.mark.parametrize("who", ["centre", "teaching_office", "e0", "admin"])
def test_targets(browser: Browser, site: Site, who: str, width: int, least: int) -> None:
    context = browser.new_context(
        base_url=site.address, viewport={"width": width, "height": 740}, locale="zh-CN"
    )
    page = context.new_page()
    sign_in(page, who)
    more = {
        "centre": ["/", "/centre/openings", "/centre/permissions", "/settings/audit"],
        "admin": ["/settings/users", "/settings/users/1", "/settings/workdays"],
    }
    for path in [path for role, path in PAGES if role == who] + more.get(who, []):
        page.goto(path)
        assert page.evaluate(SMALL, least) == [], path
    context.close()


@pytest.fixture
def phone(browser: Browser, site: Site) -> Page:
    context = browser.new_context(
        base_url=site.address, viewport={"width": 360, "height": 740}, locale="zh-CN"
    )
    return context.new_page()


def test_the_head_says_whose_account_it_is(phone: Page) -> None:
    sign_in(phone, "centre")
    expect(phone.locator("header").get_by_text("市职业技能鉴定中心")).to_be_visible()
    expect(phone.locator("header").get_by_text("张老师")).to_be_visible()


@pytest.mark.parametrize(
    ("who", "path"),
    [
        ("centre", "/office/evaluations/2"),  # a link
        ("teaching_office", "/office/evaluations/4/seal"),  # a form of its own
        ("teaching_office", "/office/evaluations/1/return"),  # the last of a long form
        ("e0", "/expert/reviews/1"),
    ],
)
def test_the_one_action_is_within_reach_of_the_thumb(phone: Page, who: str, path: str) -> None:
    sign_in(phone, who)
    phone.goto(path)
    action = phone.locator(".btn-primary")
    expect(action).to_be_in_viewport(ratio=1)
    box = action.bounding_box()
    assert box is not None
    assert box["y"] > 740 / 2
    assert box["height"] >= 44
    phone.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(action).to_be_in_viewport(ratio=1)


def test_where_one_is_stands_in_sight(phone: Page) -> None:
    sign_in(phone, "centre")
    phone.goto("/settings/audit")
    expect(phone.locator(".side a[aria-current]")).to_be_in_viewport(ratio=1)
