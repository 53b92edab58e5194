"""Passwords: which are too easily guessed; kept as argon2id hashes."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator
from functools import lru_cache
from threading import Lock

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

hasher = PasswordHasher()  # argon2id at RFC 9106's lower-memory settings; tests lower the cost

# Guesses a password must be worth: half of what eight characters by chance are.
GUESSES = 5 * 10**7
SEEN = 72  # characters that are judged: judging takes the square of their number and more
# What everybody here types first (ASVS 5.0, 6.1.2): the portal's own words, and their pinyin.
WORDS = (
    "上海", "学校", "学院", "中职", "高职", "职业", "技能", "等级", "评价", "评估", "鉴定",
    "认定", "考核", "考试", "证书", "专业", "名册", "学生", "老师", "校长", "教师", "教务",
    "教研室", "职教", "教委", "人社", "中心", "专家", "管理员", "平台", "系统", "登录", "用户",
    "密码", "你好", "测试", "school", "college", "shanghai", "portal", "skill", "level",
    "student", "teacher", "expert", "centre", "center", "bureau", "office", "vocational",
    "appraisal", "roster", "certificate",
)  # fmt: skip
_judging = Lock()  # the library keeps what it was given last for all threads


def hashed(password: str) -> str:
    """The hash to keep."""
    return hasher.hash(password)


def fits(password: str, kept: str | None) -> bool:
    """Whether the password is the one kept; takes as long where none is kept."""
    try:
        return hasher.verify(kept or _nobodys(hasher), password) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(kept: str) -> bool:
    """Whether the hash was made at another cost than the present one."""
    return hasher.check_needs_rehash(kept)


def is_guessable(password: str, about: Iterable[str]) -> bool:
    """Whether it is a common or leaked password, or made of WORDS or of what is known.

    `about`: names of the person, the account, the school; their pinyin is tried as well.
    """
    from zxcvbn import zxcvbn  # noqa: PLC0415 - its word lists take a while, most commands need none

    known = [form for word in (*about, *WORDS) for form in _forms(word)]
    with _judging:
        found = zxcvbn(password[:SEEN], user_inputs=known)
    return bool(found["guesses"] < GUESSES)


def _forms(word: str) -> Iterator[str]:
    """The word, the parts of it, its pinyin and the initials of that."""
    from pypinyin import Style, lazy_pinyin  # noqa: PLC0415

    yield word
    yield from (part for part in re.findall(r"[a-z]{3,}", word.lower()) if part != word)
    if not word.isascii():
        yield "".join(lazy_pinyin(word))
        yield "".join(lazy_pinyin(word, style=Style.FIRST_LETTER))


@lru_cache(maxsize=1)
def _nobodys(hasher: PasswordHasher) -> str:
    """A hash that no password fits, at the same cost."""
    return hasher.hash(secrets.token_hex())
