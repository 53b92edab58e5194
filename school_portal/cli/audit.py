"""`school-portal audit`: the audit chain."""

from __future__ import annotations

import json

import click
from flask.cli import with_appcontext

from school_portal.extensions import db
from school_portal.models import dialect
from school_portal.security import audit as chain


@click.group()
def audit() -> None:
    """审计记录。"""


@audit.command()
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@with_appcontext
def verify(form: str) -> None:
    """核对审计记录是否被改动、删除、调换或截断；有问题时退出码为 1。"""
    session = db.session()
    dialect.read_only(session)
    findings = list(chain.verify(session))
    events = chain.length(session)
    if form == "json":
        found = [{"seq": finding.seq, "message": finding.message} for finding in findings]
        click.echo(json.dumps({"events": events, "findings": found}, ensure_ascii=False))
    else:
        for finding in findings:
            click.echo(finding.message)
        if not findings:
            click.echo(f"审计记录共 {events} 条，未发现改动。")
    raise SystemExit(1 if findings else 0)
