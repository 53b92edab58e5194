"""From the sign-in to a downloaded application, as an operator does it, with a real worker."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Site, roster_file, sign_in
from tests.factories.operation import student

pytestmark = pytest.mark.browser


def test_from_the_sign_in_to_a_downloaded_application(page: Page, tmp_path: Path) -> None:
    sign_in(page, "zhang")
    expect(page.get_by_role("heading", name="示例中等职业学校")).to_be_visible()
    page.get_by_role("link", name="名册", exact=True).click()
    page.get_by_role("link", name="上传名册").first.click()
    page.get_by_label("名册文件").set_input_files(roster_file(tmp_path))
    page.get_by_role("button", name="上传并检查").click()

    # The progress card gives way to the result by itself.
    expect(page.get_by_text("2 行未通过")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("手机号码不对")).to_be_visible()
    expect(page.get_by_text(re.compile(r"第 \d+ 行“手机号码”"))).to_be_visible()
    page.get_by_role("button", name=re.compile("只保存通过的 31 行")).click()
    expect(page.get_by_text("新增 31 名")).to_be_visible(timeout=60_000)

    page.get_by_role("link", name="查看申报计划").click()
    expect(page.get_by_text("不能申报 1 名")).to_be_visible()
    page.get_by_role("link", name="不能申报 1 名").click()
    page.get_by_role("link", name="沪人社职〔2021〕401号 一").click()
    beside = page.get_by_role("dialog")
    expect(beside).to_contain_text("毕业学年按培养层次分别直接申报")
    page.keyboard.press("Escape")
    expect(beside).to_be_hidden()

    page.get_by_role("button", name="生成 1 份团体申报").click()
    expect(page.get_by_text("已生成 1 份团体申报草稿")).to_be_visible(timeout=60_000)
    page.get_by_role("link", name=re.compile("^TB")).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="下载工作簿").click()
    assert download.value.suggested_filename.endswith("调饮师.xlsx")
    [sheet] = load_workbook(BytesIO(download.value.path().read_bytes())).worksheets
    cells = {cell for row in sheet.values for cell in row}
    assert student(1)["证件号码*"] in cells

    page.get_by_role("button", name="退出").click()
    expect(page.get_by_text("您已退出")).to_be_visible()


def test_leaving_the_page_does_not_stop_the_check(page: Page, tmp_path: Path) -> None:
    sign_in(page, "zhang")
    page.goto("/school/rosters/new")
    page.get_by_label("名册文件").set_input_files(roster_file(tmp_path, rows=40, name="离开.xlsx"))
    page.get_by_role("button", name="上传并检查").click()
    page.goto("/help")
    page.get_by_role("link", name="名册", exact=True).click()
    page.get_by_role("link", name="离开.xlsx").first.click()
    expect(page.get_by_text("待确认")).to_be_visible(timeout=60_000)


def test_forms_work_without_a_script(browser: Browser, site: Site, tmp_path: Path) -> None:
    context = browser.new_context(base_url=site.address, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, "zhang")
    page.goto("/school/rosters/new")
    page.get_by_label("名册文件").set_input_files(roster_file(tmp_path, name="无脚本.xlsx"))
    page.get_by_role("button", name="上传并检查").click()
    expect(page.get_by_text("待确认")).to_be_visible(timeout=60_000)  # by the page's own refresh
    page.get_by_role("button", name="放弃").click()
    expect(page.get_by_text("已放弃名册“无脚本.xlsx”")).to_be_visible()
    page.goto("/clauses/n17s-2-3")
    expect(page.get_by_text("权限开通")).to_be_visible()
    context.close()


def test_leaving_a_half_filled_form_asks(page: Page, tmp_path: Path) -> None:
    sign_in(page, "zhang")
    page.goto("/school/rosters/new")
    page.get_by_label("工作表名称").fill("名册")
    asked: list[str] = []

    def answer(dialog: object) -> None:
        asked.append(dialog.type)  # type: ignore[attr-defined]
        dialog.accept()  # type: ignore[attr-defined]

    page.on("dialog", answer)
    page.get_by_role("link", name="帮助").first.click()
    expect(page.get_by_role("heading", name="帮助")).to_be_visible()
    assert asked == ["beforeunload"]


def test_the_way_by_keyboard(page: Page) -> None:
    page.goto("/auth/sign-in")
    page.get_by_label("用户名").focus()
    page.keyboard.type("zhang")
    page.keyboard.press("Tab")
    page.keyboard.type("correct horse battery")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="退出").wait_for()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="跳到正文")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(".page-head .btn-primary")).to_be_focused()
