"""Prints docs/routes.md from the routes in the code: `make docs`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from flask import Flask
from werkzeug.routing import Rule

from school_portal import blueprints
from school_portal.domain.workflow import Role

HEAD = """# 地址与角色

本页由 `make docs` 从代码打印，请勿手改。没有列出的角色打不开（403），没有登录的先登录；
“谁的”以外的对象与不存在的一样（404）。`tests/integration/test_isolation.py` 逐一核对。

| 地址 | 方法 | 角色 | 谁的 |
|---|---|---|---|
"""
# Whose objects a role meets (rulebook 1); for all roles together, nothing but one's own.
WHOSE = {
    Role.SCHOOL: "本校的",
    Role.TEACHING_OFFICE: "已提交的（中职）",
    Role.VOCATIONAL_DIVISION: "已提交的（高职）",
    Role.CENTRE: "各校已提交的",
    Role.EXPERT: "本人所在专家组的",
    Role.BUREAU: "全市的设置",
    Role.ADMIN: "全市的设置",
}


class Undeclared(Exception):
    """A route says neither that it is public nor for whom it is."""


def page() -> str:
    """The whole page. Raises Undeclared."""
    app = Flask("school_portal")
    blueprints.install(app)
    rules = sorted(
        app.url_map.iter_rules(), key=lambda rule: (rule.rule, sorted(rule.methods or ()))
    )
    return HEAD + "".join(line(rule, app.view_functions[rule.endpoint]) for rule in rules)


def line(rule: Rule, view: Callable[..., object]) -> str:
    """One route. Raises Undeclared."""
    methods = "、".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))
    return f"| `{rule.rule}` | {methods} | {' | '.join(access(rule.endpoint, view))} |\n"


def access(endpoint: str, view: Callable[..., object]) -> tuple[str, str]:
    """Who may come in, and whose objects they find. Raises Undeclared."""
    roles = getattr(view, "audience", ())
    if set(roles) == set(Role):
        return "登录者", "本人的"
    if roles:
        return "、".join(one.label for one in roles), "；".join(whose(roles))
    if endpoint == "static" or hasattr(view, "public"):
        return "公众", "—"
    raise Undeclared(endpoint)


def whose(roles: tuple[Role, ...]) -> Iterator[str]:
    """What each of the roles finds, told once."""
    yield from dict.fromkeys(WHOSE[role] for role in roles)


if __name__ == "__main__":
    print(page(), end="")
