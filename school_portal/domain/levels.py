"""Skill levels and training levels (rulebook 2; 沪人社职〔2021〕401号 一)."""

import re
from enum import IntEnum
from types import MappingProxyType

from school_portal.domain.labels import LabelledEnum, fold
from school_portal.domain.texts import DASHES


class Level(IntEnum):
    """Skill level; the smaller the number, the higher the level."""

    SENIOR_TECHNICIAN = 1
    TECHNICIAN = 2
    SENIOR = 3
    INTERMEDIATE = 4
    JUNIOR = 5

    @property
    def label(self) -> str:
        """As certificates write it: 四级/中级工."""
        return f"{_NUMERALS[self]}级/{_TITLES[self]}"


_NUMERALS = MappingProxyType(dict(zip(Level, "一二三四五", strict=True)))
_TITLES = MappingProxyType(
    dict(zip(Level, ("高级技师", "技师", "高级工", "中级工", "初级工"), strict=True))
)


_BY_NUMBER = MappingProxyType(
    {text: level for level in Level for text in (str(level.value), _NUMERALS[level])}
)
_BY_TITLE = MappingProxyType(
    {
        text: level
        for level, title in _TITLES.items()
        for text in (title, title.removesuffix("工"), f"{title.removesuffix('工')}技能")
    }
)
# Either half, or both in either order, joined or in brackets; before them what the level is of.
_NUMBER = f"第?(?P<number{{0}}>[{''.join(_BY_NUMBER)}])级?"
_TITLE = f"(?P<title{{0}}>{'|'.join(sorted(_BY_TITLE, key=len, reverse=True))})"
_JOINT = r"(?:[-/\\、,;:|·・(]?{}\)?)?"
_SPELLING = re.compile(
    "(?:国家)?(?:职业资格|职业技能|技能)?(?:等级)?"
    f"(?:{_NUMBER.format(1)}{_JOINT.format(_TITLE.format(1))}"
    f"|{_TITLE.format(2)}{_JOINT.format(_NUMBER.format(2))})"
    "(?:等级)?"
)


def parse_level(text: str) -> Level | None:
    """The level that the text names in one of the usual spellings and any width; None for none.

    By number, by title or by both where they agree: `四级/中级工`, `国家职业资格四级（中级技能）`.
    """
    found = _SPELLING.fullmatch(fold(text).translate(DASHES))
    if found is None:
        return None
    number, title = found["number1"] or found["number2"], found["title1"] or found["title2"]
    by_number, by_title = _BY_NUMBER.get(number or ""), _BY_TITLE.get(title or "")
    if number and title and by_number is not by_title:
        return None
    return by_number or by_title


class TrainingLevel(LabelledEnum):
    """The student's and the specialty's, never the school's: a through-programme has both."""

    SECONDARY = "secondary", "中职"
    HIGHER = "higher", "高职"

    @property
    def cap(self) -> Level:
        """The highest level students of it may apply for directly (沪人社职〔2021〕401号 一)."""
        return Level.INTERMEDIATE if self is TrainingLevel.SECONDARY else Level.SENIOR


def parse_training_level(text: str) -> TrainingLevel | None:
    """中职 or 高职 in any width; None for anything else."""
    return TrainingLevel.from_label(text)
