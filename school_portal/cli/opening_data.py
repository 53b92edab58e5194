"""Opening data."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from school_portal.cli.context import answer, format_option, portal


@click.group(help="期初数据：把正在运行的业务一次转入。")
def opening_data() -> None:
    """The group."""


@opening_data.command(help="生成空白的期初数据工作簿。")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def template(file: Path) -> None:
    """Write the workbook."""
    from importers.opening_template import opening_template  # noqa: PLC0415

    file.write_bytes(opening_template())
    click.echo(f"已生成 {file}。", err=True)


@opening_data.command(help="载入期初数据；有任何错误则全部不载入。")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@format_option
def load(file: Path, form: str) -> int:
    """Take it over, or say everything that is wrong."""
    from school_portal.services import opening  # noqa: PLC0415
    from school_portal.services.access import Actor  # noqa: PLC0415

    with portal() as (session, surroundings), file.open("rb") as source:
        loaded = opening.load(session, surroundings, Actor.operator_at_the_console(), source)
        if loaded.is_done:
            session.commit()
        document = {
            "loaded": loaded.is_done,
            "counts": loaded.counts,
            "issues": [asdict(found) for found in loaded.issues],
        }
        answer(document, form, _text)
        return 0 if loaded.is_done else 1


def _text(document: dict[str, Any]) -> str:
    lines = [found["message"] for found in document["issues"]]
    if document["loaded"]:
        counts = "，".join(f"{sheet} {number} 行" for sheet, number in document["counts"].items())
        return "\n".join([*lines, f"已载入：{counts}。"])
    return "\n".join([*lines, f"发现 {len(lines)} 处问题，未载入任何数据。"])
