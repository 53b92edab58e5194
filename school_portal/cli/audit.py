"""`school-portal audit`: the audit chain."""

from __future__ import annotations

import sys

import click

from school_portal.cli import console
from school_portal.extensions import db
from school_portal.models import dialect
from school_portal.security import audit as chain

audit = click.Group("audit", help="审计记录。")


@audit.command("verify")
@console.in_format()
@console.in_portal()
def verify(form: str) -> None:
    """核对审计记录是否被改动、删除、调换或截断；有问题时退出码为 1。"""
    session = db.session()
    dialect.read_only(session)
    found = list(chain.verify(session))
    events = chain.length(session)
    document = {
        "events": events,
        "findings": [{"seq": each.seq, "message": each.message} for each in found],
    }
    sound = f"审计记录共 {events} 条，未发现改动"
    console.answer(document, form, [each.message for each in found] or [sound])
    if found:
        sys.exit(1)
