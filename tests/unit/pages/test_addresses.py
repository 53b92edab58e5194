"""The addresses on a page: a pager, a tab and a sorted head lead where a link can lead."""

from __future__ import annotations

import pytest
from flask import Flask

from school_portal.blueprints.rendering import here

WHERE = {"application_id": 7, "user_id": 7, "action": "disable", "student_id": 7}


@pytest.mark.parametrize(
    "endpoint, page",
    [
        ("school.application", "/school/applications/7?page=2"),
        ("school.submit_application", "/school/applications/7?page=2"),
        ("school.export_person", "/school/students/7?page=2"),
        ("settings.change_user", "/settings/users/7?page=2"),
        ("auth.check_passkey", "/auth/sign-in?page=2"),
        ("school.generate", "/?page=2"),
    ],
)
def test_the_next_page_is_one_to_open(app: Flask, endpoint: str, page: str) -> None:
    [rule] = app.url_map.iter_rules(endpoint)
    where = {name: WHERE[name] for name in rule.arguments}
    path = app.url_map.bind("localhost").build(endpoint, where)
    method = "GET" if "GET" in (rule.methods or ()) else "POST"
    with app.test_request_context(f"{path}?page=1", method=method):
        assert here(page=2) == page
