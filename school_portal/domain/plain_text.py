"""Text as people write it, without what databases, headers and XML refuse."""

import re

# Controls other than tab and line break, halves of surrogate pairs, and what Unicode has as none.
_NO_CHARACTER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_LONGEST_NAME = 100  # characters
_LONGEST_SUFFIX = 10


def plain(text: str) -> str:
    """The text without characters that no keyboard makes; tabs and line breaks stay."""
    return _NO_CHARACTER.sub("", text)


def plain_name(name: str, longest: int = _LONGEST_NAME) -> str:
    """A file's name as it is shown, without folders and no longer; nothing is left of mere dots."""
    last = name.replace("\\", "/").rpartition("/")[2]
    shown = "".join(character for character in last if character.isprintable()).strip(". ")
    stem, dot, suffix = shown.rpartition(".")
    if not stem or len(suffix) > _LONGEST_SUFFIX:
        return shown[:longest]
    return stem[: longest - len(dot + suffix)] + dot + suffix
