"""A refusal says where in the portal it is put right."""

from __future__ import annotations

import pytest
from flask import Flask

from school_portal.blueprints.school.remedies import REMEDIES, remedy
from school_portal.domain.violations import RULES


def test_every_rule_has_its_way_or_says_that_there_is_none() -> None:
    assert set(REMEDIES) == set(RULES)
    assert [code for code in RULES if REMEDIES[code] is None] == ["RESTRICTED"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_each_way_is_a_page_that_opens(app: Flask) -> None:
    opens = app.url_map.bind("localhost")
    with app.test_request_context():
        ways = [way for code in RULES if (way := remedy(code))]
    assert all(opens.test(address, method="GET") for _, address in ways)
    assert ("申请权限", "/school/permissions/new") in ways
