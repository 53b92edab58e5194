"""`school-portal audit`: the audit chain."""

from __future__ import annotations

from typing import Any

import click

from school_portal.cli.context import answer, format_option, portal
from school_portal.security import audit as chain


@click.group(help="审计记录。")
def audit() -> None:
    """The commands for the audit chain."""


@audit.command(help="核对审计记录是否被改动、删除、调换或截断；有问题时退出码为 1。")
@format_option
def verify(form: str) -> int:
    """Every finding, in the chain's order."""
    with portal(read_only=True) as (session, _):
        found = [{"seq": each.seq, "message": each.message} for each in chain.verify(session)]
        document = {"events": chain.length(session), "findings": found}
    answer(document, form, _text)
    return 1 if found else 0


def _text(document: dict[str, Any]) -> str:
    if not document["findings"]:
        return f"审计记录共 {document['events']} 条，未发现改动。"
    return "\n".join(finding["message"] for finding in document["findings"])
