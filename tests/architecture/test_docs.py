"""What the documents print from the code is what the code says."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from school_portal.blueprints.identity import audience, public
from school_portal.domain.workflow import Role

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", ["workflows", "routes"])
def test_the_page_is_printed_from_the_code(name: str) -> None:
    printed = runpy.run_path(str(DOCS / f"{name}.py"))["page"]()
    assert (DOCS / f"{name}.md").read_text(encoding="utf-8") == printed, "make docs"


def test_a_route_says_for_whom_it_is() -> None:
    script = runpy.run_path(str(DOCS / "routes.py"))

    def view() -> str:
        return ""

    with pytest.raises(script["Undeclared"]):
        script["access"]("school.new", view)
    assert script["access"]("school.new", audience(Role.SCHOOL)(view)) == ("职业院校", "本校的")
    assert script["access"]("school.new", audience(*Role)(view)) == ("登录者", "本人的")
    assert script["access"]("school.new", public(view)) == ("公众", "—")
