"""`school-portal keys`: encryption keys, index key, session keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click

from school_portal.cli import console
from school_portal.cli.failures import Failed
from school_portal.extensions import db
from school_portal.models import dialect
from school_portal.services import keys as service
from school_portal.services.access import Actor
from school_portal.services.portal import current_portal

keys = click.Group("keys", help="加密密钥、索引密钥、会话密钥。")


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


@keys.command("reindex")
@click.option(
    "--leave-unreadable",
    is_flag=True,
    help="密文打不开的行原样保留，不再能按号码查到；没有此选项时有这样的行则什么也不做",
)
@console.in_format()
@console.in_portal()
def reindex(form: str, leave_unreadable: bool) -> None:
    """更换索引密钥，并由密文重新计算所有索引；索引密钥丢失时也用它恢复。"""
    from school_portal.services import reindexing  # noqa: PLC0415  reads certificates

    session, actor = db.session(), Actor.operator_at_the_console()
    found = reindexing.reindex(session, current_portal(), actor, leave_unreadable=leave_unreadable)
    session.commit()
    lost = "原来的索引密钥打不开，没有保留：此前回执上的证件号码校验值，今后无法核对"
    console.answer(
        asdict(found),
        form,
        [
            *(f"{name}：{count} 行" for name, count in found.done.items()),
            *(f"{name}：{len(ids)} 行密文打不开，原样保留" for name, ids in found.left.items()),
            *([] if found.old_key else [lost]),
        ],
    )


@keys.command("rotate-session")
@console.in_format()
@console.in_portal()
def rotate_session(form: str) -> None:
    """启用新的会话密钥；由上一把签名的登录和表单仍然有效，再早的失效。"""
    session = db.session()
    service.rotate_session(session, current_portal(), Actor.operator_at_the_console())
    session.commit()
    console.answer({"rotated": True}, form, ["已启用新的会话密钥，已登录的人不受影响"])


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
