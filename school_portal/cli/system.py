"""`school-portal init` and `school-portal doctor`."""

from __future__ import annotations

from dataclasses import asdict

import click

from school_portal.cli import console
from school_portal.extensions import db
from school_portal.services.doctor import Finding, examine
from school_portal.services.portal import current_portal
from school_portal.services.setup import initialise


@click.command()
@console.in_format()
@console.in_portal(whole=True)
def init(form: str) -> None:
    """建立或升级数据库，载入基础数据，生成缺少的密钥；再次执行不改变任何内容。"""
    portal = current_portal()
    initialise(portal.ring)
    home = str(portal.settings.home)
    console.answer({"initialised": True, "home": home}, form, [f"已就绪，数据目录：{home}"])


@click.command()
@console.in_format()
@console.in_portal(whole=True)
def doctor(form: str) -> None:
    """逐项检查运行环境，每项一行；有一项异常则退出码为 1。"""
    findings = list(examine(db.session(), current_portal()))
    lines = [f"{_word(one)}  {one.name}：{one.message}" for one in findings]
    console.answer({"checks": [asdict(one) for one in findings]}, form, lines)
    raise SystemExit(0 if all(one.well for one in findings) else 1)


def _word(finding: Finding) -> str:
    if finding.warning:
        return "注意"
    return "正常" if finding.well else "异常"
