"""`school-portal keys`: the encryption keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from school_portal.cli import console
from school_portal.cli.failures import Failed
from school_portal.extensions import db
from school_portal.models import dialect
from school_portal.services import keys as service
from school_portal.services.access import Actor
from school_portal.services.portal import current_portal

keys = click.Group("keys", help="加密密钥。")


@keys.command("rotate")
@console.in_format()
@console.in_portal()
def rotate(form: str) -> None:
    """启用新密钥，并由任务进程把所有数据改用新密钥加密；完成之前须保留旧密钥。"""
    from school_portal.cli.waiting import worker_at_hand  # noqa: PLC0415  asks for Redis

    session = db.session()
    with worker_at_hand() as waiter:
        actor = Actor.operator_at_the_console()
        job_id = service.rotate(session, current_portal(), actor).id
        session.commit()
        result = waiter.result(job_id, "重新加密")
    if result is None:
        raise Failed(f"后台任务 {job_id} 没有完成。已有数据仍可读取，请保留所有密钥并重新执行。")
    console.answer(result, form, _lines(result))


@keys.command("status")
@console.in_format()
@console.in_portal()
def status(form: str) -> None:
    """每把密钥之下有多少数据和文件；为零的旧密钥可以从设置中去掉。"""
    session = db.session()
    dialect.read_only(session)
    document = service.status(session, current_portal())
    console.answer(document, form, _lines(document))


def _lines(document: dict[str, Any]) -> Iterator[str]:
    for key in document["keys"]:
        remark = "现用" if key["newest"] else "旧密钥" if key["held"] else "密钥环中没有"
        yield f"{key['id']}  {remark}  数据 {key['cells']} 项，文件 {key['files']} 个"
