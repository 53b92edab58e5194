"""`school-portal verify-receipt`: what holds of a receipt, for anyone who has one; no database."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from school_portal.cli import console
from school_portal.cli.failures import Failed

if TYPE_CHECKING:
    from school_portal.security.ca.certificates import Certificate

_MARKS = {True: "成立　", False: "不成立", None: "未核对"}


@click.command()
@click.argument("file", type=console.INPUT)
@click.option("--ca-bundle", type=console.INPUT, help="信任的根证书与中间证书（PEM）")
@console.in_format()
def verify_receipt(file: Path, ca_bundle: Path | None, form: str) -> None:
    """核验签名材料的回执文件：内容、签名、证书链与平台印记；不需要数据库。

    有一项不成立的，退出码为 1。不给 --ca-bundle 时不核对根证书是否可信。
    """
    from school_portal.security import receipts  # noqa: PLC0415

    with file.open("rb") as source:
        content = source.read(receipts.MAX_SIZE + 1)
    checks = receipts.check(content, _bundle(ca_bundle) if ca_bundle else None)
    holds = all(one.holds is not False for one in checks)
    told = {"holds": holds, "checks": [asdict(one) for one in checks]}
    verdict = "回执没有发现问题。" if holds else "回执不成立。"
    lines = (f"{_MARKS[one.holds]}  {one.text}" for one in checks)
    console.answer(told, form, [*lines, verdict])
    if not holds:
        raise SystemExit(1)


def _bundle(path: Path) -> list[Certificate]:
    """The certificates of the file. Raises Failed."""
    from school_portal.security.ca import certificates  # noqa: PLC0415

    try:
        blocks = certificates.pem_blocks(path.read_bytes(), "CERTIFICATE")
        found = [certificates.read_certificate(der) for der in blocks]
    except certificates.Malformed:
        found = []
    if not found:
        raise Failed(f"“{path}”须为 PEM，含一个以上完好的证书，请核对文件。")
    return found
