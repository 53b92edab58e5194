"""A school writes and hands in its application for specialty evaluation."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Site, faults, sign, sign_in
from tests.factories.evaluations import PDF, WRITTEN

pytestmark = pytest.mark.browser

LABELS = {
    "leader": "负责人（分管领导）",
    "leader_phone": "负责人联系方式",
    "contact_phone": "联系人联系方式",
    "address": "联系地址",
    "school_opinion": "申请学校意见",
}


def check(page: Page) -> None:
    """At a phone's width and at a desk's."""
    for width in (360, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        assert faults(page) == [], (page.url, width)


@pytest.mark.usefixtures("agent")
def test_from_the_first_word_to_the_receipt(page: Page) -> None:
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    sign_in(page, "zhang")
    page.goto("/school/evaluations")
    check(page)
    page.locator(".page-head").get_by_role("link", name="填写申请").click()

    # Written, it saves itself, and leaving asks no more.
    for name, label in LABELS.items():
        page.get_by_label(label).fill(WRITTEN[name])
    last = quote(WRITTEN["contact"])
    with page.expect_response(lambda answer: last in (answer.request.post_data or "")):
        page.get_by_label("联系人", exact=True).fill(WRITTEN["contact"])
        page.get_by_label("联系地址").focus()
    expect(page.locator("#saved")).to_contain_text(re.compile(r"已保存 \d\d:\d\d，尚未提交"))
    page.reload()
    expect(page.get_by_label("联系人", exact=True)).to_have_value(WRITTEN["contact"])
    expect(page.get_by_label("联系地址")).to_have_value(WRITTEN["address"])
    expect(page.get_by_label("申请学校意见")).to_have_value(WRITTEN["school_opinion"])

    # Typing finds, choosing adds.
    page.get_by_label("拼音首字母").fill("tys")
    found = page.get_by_role("button", name="加入调饮师四级/中级工")
    expect(found).to_be_visible()
    check(page)
    found.click()
    page.get_by_label("上传中餐烹饪的材料").set_input_files(
        {"name": "方案.pdf", "mimeType": "application/pdf", "buffer": PDF}
    )
    page.get_by_role("button", name="上传", exact=True).click()
    expect(page.get_by_text("已上传“方案.pdf”")).to_be_visible()
    check(page)

    page.get_by_role("link", name="核对并提交").click()
    check(page)
    sign(page, "key-1")
    expect(page.get_by_text(re.compile(r"已提交，编号 PG\d{10}"))).to_be_visible()
    check(page)
    page.get_by_role("link", name="公开核验页").click()
    check(page)
    assert told == []


def test_without_script_a_project_is_found_and_chosen(browser: Browser, site: Site) -> None:
    context = browser.new_context(base_url=site.address, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, "li")
    page.goto("/school/evaluations")
    page.locator(".page-head").get_by_role("link", name="填写申请").click()
    page.get_by_label("联系地址").fill("上海市示例路 3 号")
    page.get_by_role("button", name="保存草稿").click()
    expect(page.get_by_text("已保存草稿")).to_be_visible()
    page.get_by_label("拼音首字母").fill("调饮")
    page.get_by_role("button", name="查询项目").click()
    page.get_by_role("button", name="加入调饮师四级/中级工").click()
    expect(page.get_by_text("已加入“调饮师四级/中级工”")).to_be_visible()
    context.close()
