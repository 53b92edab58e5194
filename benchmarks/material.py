"""Rosters of any size, made the same from the same number, and the school they belong to."""

from __future__ import annotations

import random
from pathlib import Path

from openpyxl import Workbook

HEADERS = (
    "学号",
    "姓名",
    "证件类型",
    "证件号码",
    "性别",
    "出生日期",
    "民族",
    "手机号码",
    "专业代码",
    "专业名称",
    "班级",
    "入学年月",
    "毕业年月",
    "学籍状态",
    "学习形式",
)
WRONG_SHARE = 0.02
_WEIGHTS = [pow(2, 17 - place, 11) for place in range(17)]


def resident_id(number: int) -> str:
    """A well-formed number for the n-th person: a birth date in 2008 or 2009, then a counter."""
    day, month, year = 1 + number % 28, 1 + number // 28 % 12, 2008 + number // 336 % 2
    serial = number // 672
    body = f"{310100 + serial // 1000:06d}{year}{month:02d}{day:02d}{serial % 1000:03d}"
    total = sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True))
    return body + "10X98765432"[total % 11]


def row(number: int, wrong: bool) -> list[str]:
    """The n-th student; a wrong one has a check character that does not fit."""
    document = resident_id(number)
    if wrong:
        document = document[:17] + ("0" if document[17] != "0" else "1")
    return [
        f"S{number:08d}",
        f"学生{number}",
        "居民身份证",
        document,
        "男" if int(document[16]) % 2 else "女",
        f"{document[6:10]}-{document[10:12]}-{document[12:14]}",
        "汉族",
        f"138{number % 100_000_000:08d}",
        "700301",
        "连锁经营与管理",
        f"{number // 40}班",
        "2024-09",
        "2027-06",
        "在籍",
        "全日制",
    ]


def roster(path: Path, rows: int, first: int = 0) -> Path:
    """A workbook with that many students, 2 % of them wrong; written once."""
    if path.exists():
        return path
    chance = random.Random(rows)
    book = Workbook(write_only=True)
    sheet = book.create_sheet("名册")
    sheet.append(HEADERS)
    for number in range(first, first + rows):
        sheet.append(row(number, chance.random() < WRONG_SHARE))
    book.save(path)
    return path
