"""`school-portal forms`: the printed forms, filled with sample data."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import AppGroup

from school_portal.cli import console
from school_portal.printing.rendering import render
from school_portal.printing.samples import SAMPLES

forms = AppGroup("forms", help="纸质表格的样张。")


@forms.command("sample", with_appcontext=False)
@click.argument("name", metavar="annex-1|annex-2|opinion", type=click.Choice(list(SAMPLES)))
@click.argument("file", type=console.OUTPUT)
@console.in_format()
def sample(name: str, file: Path, form: str) -> None:
    """写出填有示例数据的表格（PDF）。

    annex-1 专业评估申请表；annex-2 团体申报开户申请表；opinion 专家组评估意见表。
    """
    console.write_file(file, render(SAMPLES[name]), form)
