"""A school changes its key, and the centre decides; permissions are selected in a list."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Site, sign, sign_in
from tests.browser.test_evaluation import check
from tests.factories.accounts import ENTRY

pytestmark = pytest.mark.browser

FIELDS = (
    "leader", "leader_mobile", "contact_mobile", "operator", "operator_document", "key_id",
    "opinion", "handler",
)  # fmt: skip


@pytest.mark.usefixtures("agent")
def test_a_change_from_the_first_word_to_the_approval(page: Page) -> None:
    sign_in(page, "li")
    page.goto("/school/account")
    check(page)
    page.get_by_role("link", name="变更 keyID 或操作人员").click()
    for name in FIELDS:
        page.locator(f"#{name}").fill(getattr(ENTRY, name))
    page.get_by_label("调饮师四级/中级工").check()
    check(page)
    page.get_by_role("button", name="保存并核对").click()
    expect(page.get_by_role("alert")).to_contain_text("还有 2 处需要改正")
    check(page)
    page.get_by_role("link", name="请填写“联系人”。").click()
    page.locator("#contact").fill(ENTRY.contact)
    page.locator("#handled_on").fill("2026-01-15")
    page.get_by_role("button", name="保存并核对").click()
    check(page)
    sign(page, "key-1")
    expect(page.get_by_text("不是申请表所填的那一个")).to_be_visible()
    page.get_by_role("link", name="返回上一页").click()
    sign(page, "key-3")
    expect(page.get_by_role("status").first).to_contain_text("已提交")
    number = page.locator("h1").inner_text().split()[-1]
    check(page)

    sign_out(page)
    sign_in(page, "wang")
    page.goto("/centre/openings")
    check(page)
    page.get_by_role("link", name=number).click()
    check(page)
    page.get_by_role("button", name="登记收到原件").click()
    page.get_by_role("button", name="批准").click()
    expect(page.get_by_role("status").first).to_contain_text("即时生效")
    check(page)
    page.get_by_role("link", name="查看学校账户").click()
    check(page)
    page.get_by_role("link", name="暂停账户").click()
    check(page)


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="退出").click()


def test_a_selection_is_counted_and_listed_before_it_is_decided(page: Page) -> None:
    sign_in(page, "wang")
    page.goto("/centre/permissions?state=granted")
    check(page)
    page.get_by_role("checkbox").first.check()
    expect(page.get_by_text("已选 1 条")).to_be_visible()
    page.get_by_role("button", name="撤销所选").click()
    expect(page.get_by_role("button", name="撤销这 1 项")).to_be_visible()
    check(page)


def test_without_a_script_what_is_ticked_stays_while_one_searches(
    browser: Browser, site: Site
) -> None:
    context = browser.new_context(base_url=site.address, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, "li")
    page.goto("/school/permissions/new")
    page.get_by_label("调饮师四级/中级工").check()
    page.get_by_label("查找职业（工种）").fill("没有的职业")
    page.get_by_role("button", name="查找").click()
    expect(page.get_by_label("调饮师四级/中级工")).to_be_checked()
    page.get_by_role("button", name="核对并提交").click()
    expect(page.get_by_role("alert")).to_contain_text("已经开通")
    context.close()
