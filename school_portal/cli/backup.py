"""`school-portal backup`: what a portal needs to be put up again, but for its keys."""

from __future__ import annotations

from pathlib import Path

import click

from school_portal.cli import console
from school_portal.extensions import db
from school_portal.services.backup import take
from school_portal.services.portal import current_portal


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@console.in_format()
@console.in_portal()
def backup(folder: Path, form: str) -> None:
    """把数据库（SQLite）与存储的文件备份到一个目录，网站可以照常运行；加密密钥须另行保存。"""
    has_database, files = take(db.session(), current_portal(), folder)
    lines = [f"文件 {files} 个，已备份到 {folder}。"]
    if has_database:
        lines.insert(0, "数据库已备份。")
    else:
        lines.append("数据库不在其中：PostgreSQL 须先用 pg_dump 备份。")
    console.answer({"database": has_database, "files": files}, form, lines)
