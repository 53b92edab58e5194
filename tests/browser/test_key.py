"""Signing in with a software key, and opening an account with one."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from school_portal.security.ca.certificates import read_certificate, unbase64
from tests.browser.conftest import NAMES, PIN, Site, roster_file, sign, sign_in
from tests.browser.test_evaluation import check

pytestmark = pytest.mark.browser


def use(page: Page, name: str, pin: str = PIN) -> None:
    page.get_by_label("密钥", exact=True).select_option(name)
    page.get_by_label("PIN").fill(pin)
    page.get_by_role("button", name="用密钥登录").click()


@pytest.mark.usefixtures("agent")
def test_a_key_signs_in_and_leads_to_the_page_that_was_asked_for(page: Page) -> None:
    page.goto("/school/rosters")
    expect(page.get_by_label("密钥", exact=True).get_by_role("option")).to_have_text(
        ["请选择密钥", *NAMES]
    )
    use(page, "key-1", "")
    expect(page.get_by_role("alert")).to_have_text("请输入密钥的 PIN。")
    use(page, "key-1", "wrong one")
    expect(page.get_by_role("alert")).to_contain_text("PIN 不对")
    check(page)
    use(page, "key-1")
    page.wait_for_url("**/school/rosters")
    expect(page.locator(".who").get_by_text("张老师")).to_be_visible()


@pytest.mark.usefixtures("agent")
def test_an_approved_account_is_opened_on_the_sign_in_page(page: Page) -> None:
    page.goto("/auth/sign-in")
    use(page, "key-2")
    expect(page.get_by_role("alert")).to_contain_text("尚未注册开户")
    check(page)
    page.get_by_role("button", name="注册开户").click()
    expect(page.get_by_text("已注册开户")).to_be_visible()
    page.get_by_role("button", name="退出").click()
    use(page, "key-2")
    expect(page.get_by_text("示例新开户学校").first).to_be_visible()


def test_without_an_agent_the_page_says_what_to_do(page: Page) -> None:
    page.goto("/auth/sign-in")
    expect(page.locator("[data-key-state]")).to_contain_text("没有找到密钥程序")
    expect(page.get_by_label("密钥", exact=True)).to_have_value("")
    check(page)
    page.get_by_role("link", name="读不到密钥怎么办").click()
    expect(page.get_by_text("962600")).to_be_visible()
    check(page)
    page.get_by_role("link", name="返回登录页").click()
    expect(page.get_by_role("heading", name="登录", exact=True)).to_be_visible()


def test_the_key_stands_first(page: Page) -> None:
    page.goto("/auth/sign-in")
    expect(page.locator("h2")).to_have_text(["用 CA 密钥登录", "用用户名和密码登录"])
    expect(page.get_by_role("button", name="用密钥登录")).to_be_visible()


def test_of_one_key_it_is_chosen_of_several_none(page: Page, site: Site) -> None:
    answered = f"http://127.0.0.1:{site.agent_port}/keys"
    keys = [{"id": "a", "name": "甲"}, {"id": "b", "name": "乙"}]
    listed: list[list[dict[str, str]]] = [keys[:1]]

    def answer(route: Route) -> None:
        headers = {"Access-Control-Allow-Origin": site.address}
        route.fulfill(json={"keys": listed[-1]}, headers=headers)

    page.route(answered, answer)
    page.goto("/auth/sign-in")
    state, key = page.locator("[data-key-state]"), page.get_by_label("密钥", exact=True)
    expect(state).to_have_text("读到 1 把密钥。")
    expect(key).to_have_value("a")
    listed.append(keys)
    page.reload()
    expect(state).to_have_text("读到 2 把密钥，请选择本校的一把。")
    expect(key).to_have_value("")
    key.select_option("乙")
    page.get_by_role("button", name="重新读取密钥").click()
    expect(state).to_contain_text("读到 2 把")
    expect(key).to_have_value("b")  # what was chosen stays while it is there
    listed.append([])
    page.get_by_role("button", name="重新读取密钥").click()
    expect(state).to_contain_text("没有读到密钥，请插入")
    stored = page.evaluate("JSON.stringify([localStorage, sessionStorage])")
    assert "乙" not in stored


FORM = """(message) => {
  const form = document.createElement("form");
  form.action = "/register";
  form.dataset.sign = "";
  form.dataset.signMessage = message;
  form.innerHTML = `<input type="hidden" name="certificate"><input type="hidden" name="signature">
    <select data-key><option>key-1</select><input data-pin value="a long pin">
    <p data-sign-error></p><button>签名并提交</button>`;
  document.getElementById("main").append(form);
}"""


@pytest.mark.usefixtures("agent")
def test_a_form_is_signed_before_it_is_sent(page: Page, site: Site) -> None:
    message = f"school-portal/v1\n{site.address}\nsubmit\n示例"
    page.goto("/auth/sign-in")
    page.evaluate(FORM, message)
    page.get_by_role("button", name="签名并提交").click()
    page.wait_for_url("**/register?*")
    sent = {name: unbase64(one) for name, (one,) in parse_qs(urlsplit(page.url).query).items()}
    key = read_certificate(sent["certificate"]).key
    assert key.signed(message.encode(), sent["signature"])


@pytest.mark.usefixtures("agent")
def test_an_application_is_signed_and_submitted(page: Page, tmp_path: Path) -> None:
    sign_in(page, "zhang")
    page.goto("/school/rosters/new")
    page.get_by_label("名册文件").set_input_files(roster_file(tmp_path, rows=3, first=900))
    page.get_by_role("button", name="上传并检查").click()
    page.get_by_role("button", name=re.compile("只保存通过的")).click(timeout=60_000)
    expect(page.get_by_text(re.compile("新增 [0-9]+ 名"))).to_be_visible(timeout=60_000)
    page.goto("/school/applications/plan")
    page.get_by_role("button", name=re.compile("生成 [0-9]+ 份")).click()
    expect(page.get_by_text(re.compile("已生成 [0-9]+ 份"))).to_be_visible(timeout=60_000)
    page.get_by_role("link", name=re.compile("^TB")).first.click()
    check(page)
    sign(page, "key-2")
    expect(page.get_by_text("不是本校账户登记的那一个")).to_be_visible()  # another school's
    page.get_by_role("link", name="返回上一页").click()
    sign(page, "key-1")
    expect(page.get_by_text("已提交").first).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("回执")).first.click()
    assert download.value.suggested_filename.endswith(".json")
