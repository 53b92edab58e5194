"""`school-portal audit`: the audit chain."""

from __future__ import annotations

import re
import sys

import click

from school_portal.cli import console
from school_portal.extensions import db
from school_portal.models import dialect
from school_portal.security import audit as chain

audit = click.Group("audit", help="审计记录。")


class End(click.ParamType):
    """A chain's end as `audit verify` prints it."""

    name = "序号:校验值"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not re.fullmatch(r"[0-9]{1,18}:[0-9a-f]{64}", value):
            self.fail("须为“序号:校验值”，即本命令以前打印的末端。", param, ctx)
        return value


@audit.command("verify")
@click.option("--end", type=End(), help="以前打印并另行保存的末端：核对其后没有被截断或改写。")
@console.in_format()
@console.in_portal()
def verify(end: str | None, form: str) -> None:
    """核对审计记录是否被改动、删除、调换或截断；有问题时退出码为 1。"""
    session = db.session()
    dialect.read_only(session)
    found = [*chain.verify(session), *(chain.verify_noted(session, end) if end else ())]
    events, last = chain.length(session), chain.end_of(session)
    document = {
        "events": events,
        "end": last,
        "findings": [{"seq": each.seq, "message": each.message} for each in found],
    }
    sound = [f"审计记录共 {events} 条，未发现改动", f"末端 {last}，请另行保存，以后用 --end 核对"]
    console.answer(document, form, [each.message for each in found] or sound)
    if found:
        sys.exit(1)
