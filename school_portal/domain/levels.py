"""Skill levels and training levels (rulebook 2; 沪人社职〔2021〕401号 一)."""

from enum import IntEnum
from types import MappingProxyType

from school_portal.domain.labels import LabelledEnum, fold


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


def _spellings(level: Level) -> set[str]:
    numbers = {f"{_NUMERALS[level]}级", f"{level.value}级"}
    title = _TITLES[level]
    pairs = {
        spelling
        for number in numbers
        for spelling in (
            f"{number}/{title}",
            f"{title}/{number}",
            f"{number}({title})",
            f"{title}({number})",
            f"{number}{title}",
            f"{title}{number}",
        )
    }
    return {str(level.value), _NUMERALS[level], title, title.removesuffix("工"), *numbers, *pairs}


_SPELLINGS = MappingProxyType({text: level for level in Level for text in _spellings(level)})


def parse_level(text: str) -> Level | None:
    """The level that the text names in one of the usual spellings and any width; None for none."""
    folded = fold(text)
    return _SPELLINGS.get(folded) or _SPELLINGS.get(folded.removesuffix("等级"))


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
