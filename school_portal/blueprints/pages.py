"""Where a page opens again: what was sent may be answered by a page, and its links are fetched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from flask import current_app, request, url_for
from werkzeug.exceptions import HTTPException

View = TypeVar("View", bound=Callable[..., object])


def on_page(endpoint: str) -> Callable[[View], View]:
    """For a view that is only sent to, and may answer with a page: the one that opens instead.

    Where the same address can be fetched, that is the page.
    """

    def mark(view: View) -> View:
        view.page = endpoint  # type: ignore[attr-defined]
        return view

    return mark


def page_of(path: str) -> str | None:
    """The address at which the page that stands at `path` opens; None where there is none."""
    adapter = current_app.url_map.bind("localhost")
    for method in ("GET", "POST"):
        try:
            endpoint, where = adapter.match(path, method=method)
        except HTTPException:
            continue
        page = endpoint if method == "GET" else _named_by(endpoint)
        return url_for(page, **_wanted(page, where)) if page else None
    return None


def _named_by(endpoint: str) -> str | None:
    return getattr(current_app.view_functions[endpoint], "page", None)


def _wanted(endpoint: str, where: Mapping[str, Any]) -> dict[str, Any]:
    """What of the address the other one has a place for."""
    rule = next(current_app.url_map.iter_rules(endpoint))
    return {name: value for name, value in where.items() if name in rule.arguments}


def this_page() -> str:
    """The address of the page that answers this request; the entrance where it has none."""
    return page_of(request.path) or url_for("entrance.entrance")
