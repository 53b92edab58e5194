"""Enums with English values and the labels that people read; the folding of typed text."""

from enum import StrEnum
from typing import Self

from school_portal.domain.texts import INVISIBLE

# Full-width forms become ASCII; marks that nobody sees fall away.
_FOLDING: dict[int, int | None] = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_FOLDING |= dict.fromkeys(map(ord, INVISIBLE))


def fold(text: str) -> str:
    """Full-width forms made half-width, white space and invisible marks removed, inside too."""
    if not text.isascii():
        text = text.translate(_FOLDING)
    return "".join(text.split())


class LabelledEnum(StrEnum):
    """A member is written `NAME = "value", "标签"`; looked up by its value alone."""

    label: str

    def __new__(cls, value: str, label: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        return member

    @classmethod
    def from_label(cls, text: str) -> Self | None:
        """The member that the folded text names; None where it is in no list."""
        folded = fold(text)
        return next((member for member in cls if member.label == folded), None)
