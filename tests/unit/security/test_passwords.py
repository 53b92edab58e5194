"""Which passwords are too easily guessed."""

from __future__ import annotations

import pytest

from school_portal.security.passwords import is_guessable

ABOUT = ("zhang.wei", "张伟", "上海示例职业技术学校")


@pytest.mark.parametrize(
    "password",
    [
        "password1", "1qaz@WSX", "iloveyou1", "qwertyuiop", "xxxxxxxxxxxx", "20260901",  # anybody's
        "zhang.wei", "ZhangWei2026", "zhangwei@123", "张伟张伟张伟张伟",  # the person
        "上海示例职业技术学校", "shanghaishilizhiyejishuxuexiao1",  # the school
        "xuexiao888", "Shanghai2026!", "jianding2026!", "portal-2026",  # the portal
    ],
)  # fmt: skip
def test_is_guessable(password: str) -> None:
    assert is_guessable(password, ABOUT)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "窗前有一只小白鹭",
        "一个新的密码短语",
        "kT8#qz2L",
        "x7! " * 16 + "aB9-" * 48,
    ],
)
def test_is_not(password: str) -> None:
    assert not is_guessable(password, ABOUT)
