"""Trusted Types in a browser: what htmx and the pages need works, what would run does not."""

from __future__ import annotations

import pytest
from playwright.sync_api import Error, Page

from tests.browser.conftest import sign_in


@pytest.mark.parametrize("text", ["<script>1</script>", "<iframe src=/></iframe>", "<base href=/>"])
def test_text_that_would_run_is_not_made_html(page: Page, text: str) -> None:
    sign_in(page, "zhang")
    with pytest.raises(Error, match="TypeError"):
        page.evaluate("text => { document.body.innerHTML = text }", text)
    page.evaluate("document.getElementById('live').innerHTML = '<p>已保存</p>'")
    assert page.locator("#live p").inner_text() == "已保存"


def test_code_is_not_made_of_text(page: Page) -> None:
    sign_in(page, "zhang")
    with pytest.raises(Error, match="TypeError"):
        page.evaluate("document.createElement('script').text = '1'")
    with pytest.raises(Error, match="TypeError"):
        page.evaluate("trustedTypes.createPolicy('another', {})")
