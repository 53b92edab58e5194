"""Click's own words in Chinese: its messages go through gettext, the catalogue lies with us."""

from __future__ import annotations

import errno
import gettext
import os
import sys
from pathlib import Path

DOMAIN = "click"
CATALOGUES = Path(__file__).resolve().parent.parent / "locale"


def speak_chinese() -> None:
    """Make click answer in Chinese, whatever the machine's language and encoding are."""
    os.environ["LANGUAGE"] = "zh"
    gettext.bindtextdomain(DOMAIN, CATALOGUES)
    gettext.textdomain(DOMAIN)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]


_REASONS = {
    errno.EACCES: "没有权限",
    errno.EPERM: "没有权限",
    errno.EROFS: "所在的磁盘只读",
    errno.ENOENT: "文件或目录不存在",
    errno.ENOTDIR: "所在的不是目录",
    errno.ENOSPC: "磁盘空间已满",
    errno.EDQUOT: "磁盘配额已满",
    errno.ENAMETOOLONG: "名称过长",
    errno.EADDRINUSE: "已被占用",
    errno.EADDRNOTAVAIL: "本机没有这一地址",
}


def reason(error: OSError) -> str:
    """Why the system refused, in Chinese where it is one of the usual reasons."""
    return _REASONS.get(error.errno or 0) or error.strerror or type(error).__name__
