"""Setting up a second factor in a browser, and the pages of accounts and sign-ins."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Site, faults, sign_in
from tests.factories.visitor import PASSWORD

pytestmark = pytest.mark.browser

PAGES = [
    "/settings/users", "/settings/users/new", "/settings/users/1", "/settings/sign-ins",
    "/settings/password", "/settings/second-factor", "/settings/profile", "/auth/invitation/none",
]  # fmt: skip


@pytest.fixture(params=[360, 1440])
def opened(request: pytest.FixtureRequest, browser: Browser, site: Site) -> Iterator[Page]:
    context = browser.new_context(
        base_url=site.address, viewport={"width": request.param, "height": 900}, locale="zh-CN"
    )
    yield context.new_page()
    context.close()


def test_pages(opened: Page) -> None:
    sign_in(opened, "admin")
    for path in PAGES:
        opened.goto(path)
        assert faults(opened) == [], path


def test_an_administrator_invites_and_the_person_comes_in(opened: Page) -> None:
    sign_in(opened, "admin")
    width = (opened.viewport_size or {"width": 0})["width"]
    opened.goto("/settings/users/new")
    opened.get_by_label("用户名").fill(f"sun-{width}")
    opened.get_by_label("市职业技能鉴定中心").check()
    opened.get_by_label("市人力资源社会保障局").check()
    opened.get_by_role("button", name="生成邀请链接").click()
    link = opened.get_by_label("链接").input_value()
    assert faults(opened) == []
    opened.get_by_role("button", name="退出").click()
    opened.goto(link)
    assert faults(opened) == []
    opened.get_by_label("姓名").fill("孙老师")
    opened.get_by_label("密码", exact=False).first.fill(PASSWORD)
    opened.get_by_label("再填一次密码").fill(PASSWORD)
    opened.get_by_role("button", name="保存").click()
    sign_in(opened, f"sun-{width}")
    assert faults(opened) == []
    opened.get_by_role("button", name="切换为市人力资源社会保障局").click()
    expect(opened.get_by_text("现在以“市人力资源社会保障局”的身份办理")).to_be_visible()


def test_a_second_factor_is_set_up_and_asked_for(page: Page) -> None:
    sign_in(page, "bao")
    page.goto("/settings/second-factor")
    page.get_by_role("button", name="开始设置").click()
    picture = page.get_by_role("img", name="第二重验证的二维码")
    assert picture.evaluate("image => image.naturalWidth") > 100
    assert faults(page) == []
    totp = pyotp.TOTP(re.sub(r"\s", "", page.locator("[data-secret]").inner_text()))
    page.get_by_label("验证码").fill(totp.now())
    page.get_by_role("button", name="确认启用").click()
    expect(page.get_by_text("第二重验证已启用")).to_be_visible()
    assert page.locator("main li.code").count() == 10
    assert faults(page) == []
    page.get_by_role("button", name="退出").click()
    page.get_by_label("用户名").fill("bao")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录", exact=True).click()
    assert faults(page) == []
    page.get_by_label("验证码").fill(totp.at(time.time() + totp.interval))
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.get_by_role("button", name="退出")).to_be_visible()
    page.goto("/settings/second-factor")
    page.get_by_role("button", name="停用验证应用").click()
    expect(page.get_by_text("已停用验证应用")).to_be_visible()
