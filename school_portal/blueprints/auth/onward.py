"""Where somebody goes after signing in."""

from __future__ import annotations

from flask import current_app, url_for


def safe_next(target: str | None) -> str:
    """A path of this portal to return to; the entrance for anything else."""
    home = url_for("entrance.entrance")
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return home
    adapter = current_app.url_map.bind("localhost")
    return target if "\\" not in target and adapter.test(target, method="GET") else home
