"""`school-portal demo-ca` and `school-portal soft-key`: keys for trials, never for a real CA's."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from school_portal import config
from school_portal.cli import console
from school_portal.cli.failures import Failed
from school_portal.domain.account import parse_key_id

origin_option = click.option(
    "--origin", "origins", multiple=True, required=True, help="允许使用密钥的网站，可多次给出"
)


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--key-id", "key_ids", multiple=True, help="为此 keyID 制作证书，可多次给出")
@console.in_format()
def demo_ca(folder: Path, key_ids: tuple[str, ...], form: str) -> None:
    """制作演示用 CA：RSA 与 SM2 的根证书、签发证书、吊销列表，以及每个 keyID 的证书与私钥。

    不得用于正式环境；CA 的私钥不保存，有效期一年。
    """
    from school_portal.demo import ca_folder  # noqa: PLC0415

    wrong = [key_id for key_id in key_ids if parse_key_id(key_id) != key_id]
    if wrong:
        raise click.UsageError("keyID 须为 8 至 128 个可见的英文字母、数字或符号。")
    oid = config.read().key_id_oid
    try:
        files = [str(path) for path in ca_folder.make(folder, key_ids, oid, datetime.now(UTC))]
    except FileExistsError:
        raise Failed(f"“{folder}”中已有演示用 CA，请另选一个目录。") from None
    settings = [
        f"{config.PREFIX}CA_BUNDLE={folder / ca_folder.BUNDLE}",
        f"{config.PREFIX}CA_CRLS={folder / ca_folder.CRLS}",
    ]
    lines = [*(f"已写入 {file}" for file in files), "启用时的设置：", *settings]
    console.answer({"files": files, "settings": settings}, form, lines)


soft_key = click.Group("soft-key", help="软件密钥，供试用，不得用于正式环境。")


@soft_key.command("create")
@click.argument("file", type=console.OUTPUT)
@click.option("--certificate", type=console.INPUT, required=True, help="PEM 证书")
@click.option("--key", type=console.INPUT, required=True, help="PEM 私钥（RSA）")
@console.in_format()
def create(file: Path, certificate: Path, key: Path, form: str) -> None:
    """把证书与私钥放进以 PIN 加密的 PKCS #12 文件。

    PIN 从标准输入读取，在终端上则提示输入。
    """
    from school_portal.demo import soft_key as keys  # noqa: PLC0415

    pin = _pin()
    try:
        content = keys.pack(certificate.read_bytes(), key.read_bytes(), pin)
    except ValueError as error:
        raise Failed(str(error)) from None
    console.write_file(file, content, form)
    file.chmod(0o600)


@soft_key.command("serve")
@click.argument("files", type=console.INPUT, nargs=-1, required=True)
@origin_option
@click.option("--port", type=click.IntRange(0, 65535), default=config.AGENT_PORT, show_default=True)
def serve(files: tuple[Path, ...], origins: tuple[str, ...], port: int) -> None:
    """在本机回环地址上为浏览器签名，每次签名须输入 PIN；按 Ctrl-C 停止。

    网页上以文件名（不含扩展名）选择密钥。
    """
    from school_portal.demo import soft_key as keys  # noqa: PLC0415

    contents = {file.stem: file.read_bytes() for file in files}
    if len(contents) < len(files):
        raise click.UsageError("密钥文件不能重名，请改名后重试。")
    try:
        server = keys.Agent(contents, origins, port)
    except OSError as error:
        raise Failed(f"端口 {port} 无法使用：{error.strerror}。请用 --port 另选一个。") from None
    click.echo(f"软件密钥：http://127.0.0.1:{server.server_port}", err=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        click.echo("已停止。", err=True)
    finally:
        server.server_close()


def _pin() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    typed: str = click.prompt("PIN", hide_input=True, confirmation_prompt="再输入一次", err=True)
    return typed
