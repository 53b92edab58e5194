"""The root of the command line; a command's module is imported when the command is asked for."""

from __future__ import annotations

from importlib import import_module

import click

# Command: the module that holds it, and what it does in a line.
COMMANDS = {
    "init": ("system", "建立或升级数据库，载入基础数据，生成缺少的密钥；可重复执行"),
    "doctor": ("system", "检查设置、数据库、Redis、存储、密钥与时钟"),
    "opening-data": ("opening_data", "期初数据：模板与载入"),
    "roster": ("rosters", "名册：模板、检查、导入、错误标注"),
    "students": ("students", "已保存的学生"),
    "applications": ("applications", "团体申报：预览、生成、列表、导出"),
    "calendar": ("calendar", "专业评估受理窗口与工作日"),
    "forms": ("forms", "纸质表格的样张"),
    "serve": ("serve", "启动网站、任务进程与内置 Redis"),
    "worker": ("serve", "启动一个任务进程"),
    "users": ("users", "平台账户"),
    "keys": ("keys", "加密密钥"),
    "audit": ("audit", "审计记录"),
    "backup": ("backup", "备份数据库与文件，网站照常运行"),
    "verify-receipt": ("receipts", "核验签名材料的回执文件，不需要数据库"),
    "demo-ca": ("ca_keys", "演示用 CA：根证书、吊销列表与测试证书"),
    "soft-key": ("ca_keys", "软件密钥：制作密钥文件，供浏览器签名"),
}


class LazyGroup(click.Group):
    """A group that knows its commands by name alone, so that `--help` is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"school_portal.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("命令"):
            formatter.write_dl([(name, told) for name, (_, told) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
def school_portal() -> None:
    """上海市职业院校技能评价团体申报平台。

    每个命令都可加 --help 查看用法。退出码：0 完成；1 输入或部分行未被接受；2 用法有误。
    """
