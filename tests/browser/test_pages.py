"""Every page at a phone's and a desk's width: accessible, nothing to scroll sideways, no errors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pypdfium2
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import Site, faults, roster_file, sign_in
from tests.factories.operation import student

pytestmark = pytest.mark.browser

PAGES = [
    "/auth/sign-in", "/register", "/help", "/help/keys", "/school/students",
    "/school/evaluations/new?training_level=secondary", "/school/account/openings/new",
    "/school/permissions/new", "/clauses/n17s-1", "/nowhere", "/school/",
    "/school/rosters", "/school/rosters/new", "/school/specialties", "/school/account",
    "/school/applications", "/school/applications/plan", "/school/applications/plan?show=excluded",
    "/school/applications/plan?show=held", "roster?show=issues", "roster?show=rows", "application",
    "/settings/notices", "/settings/profile",
]  # fmt: skip


@pytest.fixture(scope="module")
def places(
    browser: Browser, site: Site, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """A school whose pages all have something to show; where its roster and application are."""
    context = browser.new_context(base_url=site.address)
    page = context.new_page()
    sign_in(page, "li")
    page.goto("/school/rosters/new")
    file = roster_file(tmp_path_factory.mktemp("files"), rows=60, first=500)
    page.get_by_label("名册文件").set_input_files(file)
    page.get_by_role("button", name="上传并检查").click()
    page.get_by_role("button", name=re.compile("只保存通过的")).click(timeout=60_000)
    expect(page.get_by_text("新增 61 名")).to_be_visible(timeout=60_000)
    roster = page.url
    page.goto("/school/applications/plan")
    page.get_by_role("button", name=re.compile("生成 1 份")).click()
    page.get_by_role("link", name=re.compile("^TB")).click(timeout=60_000)
    places = {"roster": roster, "application": page.url}
    context.close()
    return places


@pytest.fixture(scope="module", params=[360, 1440])
def signed_in(
    request: pytest.FixtureRequest, browser: Browser, site: Site, places: dict[str, str]
) -> Iterator[BrowserContext]:
    context = browser.new_context(
        base_url=site.address, viewport={"width": request.param, "height": 900}, locale="zh-CN"
    )
    page = context.new_page()
    sign_in(page, "li")
    page.close()
    yield context
    context.close()


@pytest.fixture
def opened(signed_in: BrowserContext) -> Iterator[Page]:
    page = signed_in.new_page()
    yield page
    page.close()


@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize("path", PAGES)
def test_page(opened: Page, places: dict[str, str], path: str) -> None:
    name, _, query = path.partition("?")
    address = f"{places[name]}?{query}" if name in places else path
    told: list[str] = []
    opened.on("console", lambda message: told.append(message.text))
    opened.goto(address)
    assert faults(opened) == []
    assert len(opened.title()) > 4
    expected = "404" if path == "/nowhere" else "none"
    assert [text for text in told if expected not in text] == []


# What is too low to be pointed at; a link in a line of text is as high as the line.
LOW = """(least) => [...document.querySelectorAll("a, button, summary, select, input")]
  .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < least)
  .filter((one) => !one.closest("p, dd, label, .foot, .skip, .visually-hidden, td > span, td li"))
  .filter((one) => !["hidden", "checkbox", "radio"].includes(one.type))
  .filter((one) => one.closest("thead")?.getBoundingClientRect().height !== 1)
  .map((one) => one.textContent.trim() || one.id)"""


@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize(
    "path",
    ["/school/", "/school/students", "/school/account", "/school/evaluations", "roster?show=issues",
     "application", "/school/applications/plan?show=excluded", "/school/applications"],
)  # fmt: skip
def test_targets_are_high_enough(opened: Page, places: dict[str, str], path: str) -> None:
    name, _, query = path.partition("?")
    opened.goto(f"{places[name]}?{query}" if name in places else path)
    phone = opened.evaluate("window.innerWidth") < 640
    assert opened.evaluate(LOW, 44 if phone else 24) == []


@pytest.mark.usefixtures("agent")
def test_a_phone_shows_whose_account_it_is_and_has_its_action_at_hand(
    page: Page, places: dict[str, str]
) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    sign_in(page, "li")
    page.goto(places["application"])
    expect(page.locator(".who").get_by_text("示例商贸职业学校")).to_be_visible()
    act = page.get_by_role("link", name="去签名提交")
    expect(act).to_be_in_viewport()
    expect(page.get_by_label("PIN")).not_to_be_in_viewport()
    act.click()
    expect(page.get_by_label("PIN")).to_be_in_viewport()
    expect(page.get_by_role("button", name="签名并提交")).to_be_in_viewport()


@pytest.mark.parametrize("width", [700, 900, 1100])
@pytest.mark.parametrize("path", ["/school/students", "application", "roster?show=rows"])
def test_a_wide_table_is_moved_sideways_and_its_page_is_not(
    page: Page, places: dict[str, str], path: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    sign_in(page, "li")
    name, _, query = path.partition("?")
    page.goto(f"{places[name]}?{query}" if name in places else path)
    assert faults(page) == []
    first = page.locator("tbody td").first
    page.locator(".table-wrap").evaluate("(one) => { one.scrollLeft = one.scrollWidth }")
    expect(first).to_be_in_viewport(ratio=0.9)


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize(
    "username, paths",
    [
        ("wang", ["/", "/settings/policies", "/settings/policies/once", "/settings/windows"]),
        ("bao", ["/settings/policies/group_size"]),
        ("tan", ["/", "/settings/windows"]),
        ("admin", ["/settings/workdays", "/settings/mail", "/settings/notices"]),
    ],
)
def test_an_offices_pages(page: Page, username: str, paths: list[str], width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    sign_in(page, username)
    for path in paths:
        page.goto(path)
        assert faults(page) == [], path


def test_a_mistake_is_told_beside_its_field(page: Page) -> None:
    sign_in(page, "li")
    page.goto("/school/rosters/new")
    page.get_by_role("button", name="上传并检查").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("请选择要上传的名册文件")
    alert.get_by_role("link", name="名册文件").click()
    expect(page.get_by_label("名册文件")).to_be_focused()


def test_it_prints_without_its_frame(page: Page, places: dict[str, str], tmp_path: Path) -> None:
    sign_in(page, "li")
    page.goto(places["application"])
    page.emulate_media(media="print")
    expect(page.get_by_role("navigation", name="主导航")).to_be_hidden()
    expect(page.get_by_role("table")).to_be_visible()


NUMBERS = {str(student(500 + number)["学号*"]) for number in range(60)}


def sheets(page: Page) -> list[str]:
    """The words of each sheet that the page prints on A4."""
    document = pypdfium2.PdfDocument(page.pdf(prefer_css_page_size=True))
    return ["".join(one.get_textpage().get_text_bounded().split()) for one in document]


def test_an_application_prints_everybody_whatever_page_is_open(
    page: Page, places: dict[str, str]
) -> None:
    sign_in(page, "li")
    page.goto(f"{places['application']}?page=2")
    expect(page.locator("tbody tr:visible")).to_have_count(25)
    printed = sheets(page)
    assert {one for one in NUMBERS if one in "".join(printed)} == NUMBERS
    assert len(printed) > 1
    with_rows = [one for one in printed if any(number in one for number in NUMBERS)]
    assert all("证件号码手机号码" in one for one in with_rows)  # the head on every sheet
    assert "退出" not in "".join(printed)


def test_a_list_is_printed_whole_by_ctrl_p(page: Page, places: dict[str, str]) -> None:
    sign_in(page, "li")
    page.goto("/school/applications/plan?show=held")
    assert "只印了这一页" in "".join(sheets(page))
    page.keyboard.press("Control+p")
    page.wait_for_url("**print=all**")
    expect(page.locator("tbody tr:visible")).to_have_count(60)
    expect(page.get_by_role("navigation", name="主导航")).to_be_hidden()
    printed = "".join(sheets(page))
    assert {one for one in NUMBERS if one in printed} == NUMBERS
    assert "只印了这一页" not in printed
    page.get_by_role("link", name="返回").click()
    expect(page.locator("tbody tr:visible")).to_have_count(25)


def test_what_is_folded_is_printed(page: Page, places: dict[str, str]) -> None:
    sign_in(page, "li")
    page.goto("/settings/workdays")
    page.evaluate("document.querySelector('main').innerHTML = '<details><p>折起</p></details>'")
    assert "折起" in "".join(sheets(page))
    assert not page.evaluate("document.querySelector('details').open")
