"""Passkeys in a browser, with Chromium's own authenticator for tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Site, faults
from tests.factories.visitor import PASSWORD

pytestmark = pytest.mark.browser

DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(params=[360, 1440])
def device(request: pytest.FixtureRequest, browser: Browser, site: Site) -> Iterator[Page]:
    """A page at the portal's name, for an address has no passkeys, with an authenticator."""
    context = browser.new_context(
        base_url=site.address.replace("127.0.0.1", "localhost"),
        viewport={"width": request.param, "height": 900},
        locale="zh-CN",
    )
    context.set_default_timeout(15_000)
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    yield page
    context.close()


def fill(page: Page) -> None:
    page.goto("/auth/sign-in")
    page.get_by_label("用户名").fill("tan")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录", exact=True).click()


def test_a_passkey_is_added_and_used(device: Page) -> None:
    page, leave = device, device.get_by_role("button", name="退出")
    fill(page)
    page.goto("/settings/second-factor")
    assert faults(page) == []
    page.get_by_label("名称").fill("办公室电脑")
    page.get_by_role("button", name="添加通行密钥").press("Enter")
    expect(page.get_by_text("第二重验证已启用")).to_be_visible()
    page.goto("/settings/second-factor")
    page.get_by_label("名称").fill("又一个")
    page.get_by_role("button", name="添加通行密钥").click()
    expect(page.get_by_role("alert")).to_have_text("这台设备上已有您的通行密钥，不必再添加。")
    assert faults(page) == []
    leave.click()

    page.goto("/settings/sign-ins")  # to come back to
    assert faults(page) == []
    page.get_by_role("button", name="用通行密钥登录").click()
    page.wait_for_url("**/settings/sign-ins")
    leave.click()

    fill(page)
    expect(page.get_by_text("密码正确，请再用通行密钥")).to_be_visible()
    assert faults(page) == []
    page.get_by_role("button", name="用通行密钥登录").click()
    leave.wait_for()

    page.goto("/settings/second-factor")
    page.get_by_role("button", name="删除").click()
    expect(page.get_by_text("已删除通行密钥")).to_be_visible()
    leave.click()
    page.get_by_role("button", name="用通行密钥登录").click()
    expect(page.get_by_role("alert")).to_contain_text("没有通过核对")


def test_an_address_or_a_browser_without_passkeys_says_so(
    device: Page, page: Page, browser: Browser, site: Site
) -> None:
    page.goto("/auth/sign-in")  # at 127.0.0.1
    expect(page.get_by_text("现在的网址不能")).to_be_visible()
    device.add_init_script("delete window.PublicKeyCredential")
    device.goto("/auth/sign-in")
    expect(device.get_by_text("这个浏览器不支持通行密钥")).to_be_visible()
    expect(device.get_by_role("button", name="用通行密钥登录")).to_be_hidden()
    plain = browser.new_context(java_script_enabled=False).new_page()
    plain.goto(site.address.replace("127.0.0.1", "localhost") + "/auth/sign-in")
    expect(plain.get_by_text("使用通行密钥需要浏览器启用 JavaScript")).to_be_visible()
    expect(plain.get_by_role("button", name="用通行密钥登录")).to_be_hidden()
    plain.context.close()
