"""`school-portal keys`: the encryption keys."""

from __future__ import annotations

from typing import Any

import click

from school_portal.cli.context import answer, format_option, portal
from school_portal.services import keys as service
from school_portal.services.access import Actor


@click.group(help="加密密钥。")
def keys() -> None:
    """The commands for the encryption keys."""


@keys.command(help="启用新密钥，并把所有数据改用新密钥加密；完成之前须保留旧密钥。")
@format_option
def rotate(form: str) -> None:
    """A new key in front, everything sealed anew by a worker; answers what is under which key."""
    from school_portal.cli.waiting import finish  # noqa: PLC0415

    with portal() as (session, surroundings):
        job = service.rotate(session, surroundings, Actor.operator_at_the_console())
        session.commit()
        document = finish(session, surroundings, job.id).result or {}
    answer(document, form, _text)


@keys.command(help="每把密钥之下有多少数据和文件；为零的旧密钥可以从设置中去掉。")
@format_option
def status(form: str) -> None:
    """How many cells and files are under each key."""
    with portal(read_only=True) as (session, surroundings):
        document = service.status(session, surroundings)
    answer(document, form, _text)


def _text(document: dict[str, Any]) -> str:
    return "\n".join(_line(key) for key in document["keys"])


def _line(key: dict[str, Any]) -> str:
    remark = "现用" if key["newest"] else "旧密钥" if key["held"] else "密钥环中没有"
    return f"{key['id']}  {remark}  数据 {key['cells']} 项，文件 {key['files']} 个"
