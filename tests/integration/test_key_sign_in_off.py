"""Without a bundle nobody signs in with a key."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.factories.visitor import Visitor


def test_the_page_offers_no_key(app: Flask) -> None:
    page = Visitor(app).get("/auth/sign-in")
    assert "CA 密钥" not in page.get_data(as_text=True)
    assert "connect-src 'self';" in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "method, path", [("GET", "/auth/ca/challenge"), ("POST", "/auth/ca/verify")]
)
def test_key_sign_in_is_off(app: Flask, method: str, path: str) -> None:
    answer = Visitor(app).send(method, path, json={})
    assert answer.status_code == 404
    assert answer.json is not None
    assert answer.json["code"] == "ca.off"
