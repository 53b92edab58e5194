"""`school-portal opening-data`: a running operation's data taken over in one go."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from school_portal.cli import console

opening_data = click.Group("opening-data", help="期初数据：模板与载入。")


@opening_data.command("template")
@click.argument("file", type=console.OUTPUT)
@console.in_format()
def template(file: Path, form: str) -> None:
    """写出期初数据工作簿的模板。"""
    from importers.opening_template import opening_template  # noqa: PLC0415

    console.write_file(file, opening_template(), form)


@opening_data.command("load")
@click.argument("file", type=console.INPUT)
@console.in_format()
@console.in_portal()
def load(file: Path, form: str) -> None:
    """载入期初数据：有任何错误则全部不写入，所有错误一次列出；可重复载入。"""
    # Imported here: the template needs no database.
    from school_portal.extensions import db  # noqa: PLC0415
    from school_portal.services import opening  # noqa: PLC0415
    from school_portal.services.access import Actor  # noqa: PLC0415
    from school_portal.services.portal import current_portal  # noqa: PLC0415

    session = db.session()
    with file.open("rb") as source:
        loaded = opening.load(session, current_portal(), Actor.operator_at_the_console(), source)
    if loaded.is_done:
        session.commit()
    issues = [asdict(found) for found in loaded.issues]
    lines = [found.message for found in loaded.issues]
    if loaded.is_done:
        lines += [f"{sheet}：{count} 行" for sheet, count in loaded.counts.items()]
    else:
        lines.append("有错误，未写入任何数据。")
    console.answer({"loaded": loaded.counts, "issues": issues}, form, lines)
    raise SystemExit(0 if loaded.is_done else 1)
