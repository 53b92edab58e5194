"""`school-portal keys`: the encryption keys."""

from __future__ import annotations

import json

import click
from flask.cli import with_appcontext

from school_portal.extensions import db
from school_portal.models import dialect
from school_portal.services import keys as service
from school_portal.services.access import Actor
from school_portal.services.portal import current_portal


@click.group()
def keys() -> None:
    """加密密钥。"""


@keys.command()
@with_appcontext
def rotate() -> None:
    """启用新密钥，并由后台任务把所有数据改用新密钥加密；旧密钥须保留到完成为止。"""
    session = db.session()
    job = service.rotate(session, current_portal(), Actor.operator_at_the_console())
    session.commit()
    click.echo(f"已启用新密钥 {job.options['key_id']}，后台任务 {job.id} 正在重新加密。", err=True)


@keys.command()
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@with_appcontext
def status(form: str) -> None:
    """每把密钥之下还有多少数据和文件；为零的旧密钥可以从设置中去掉。"""
    session = db.session()
    dialect.read_only(session)
    document = service.status(session, current_portal())
    if form == "json":
        click.echo(json.dumps(document, ensure_ascii=False))
        return
    for key in document["keys"]:
        remark = "现用" if key["newest"] else "旧密钥" if key["held"] else "密钥环中没有"
        click.echo(f"{key['id']}  {remark}  数据 {key['cells']} 项，文件 {key['files']} 个")
