"""What nobody sees in a text, and names without it."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from school_portal.domain.identifiers import Sex, parse_mobile, parse_phone
from school_portal.domain.labels import fold
from school_portal.domain.projects import Occupation, Register
from school_portal.domain.texts import BLANKS, DASHES, INVISIBLE, tidy_name, trimmed

# Of the format characters these have ink: signs around numbers, and those of hieroglyphs.
_WITH_INK = {
    *range(0x0600, 0x0606),
    *(0x06DD, 0x070F, 0x0890, 0x0891, 0x08E2, 0x110BD, 0x110CD),
    *range(0x13430, 0x13440),
}


def test_the_table_holds_every_format_character_without_ink() -> None:
    formats = {
        code for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) == "Cf"
    }
    assert formats - _WITH_INK <= set(map(ord, INVISIBLE))


@pytest.mark.parametrize(
    "mark",
    [
        *"\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069",
        *"\u00ad\u034f\u061c\u115f\u1160\u17b4\u180b\u180e\u2800\u3164\uffa0\ufe00\ufe0f\ufeff\ufff9",
        *"\U000e0001\U000e0020\U000e0100\U000e01ef\U0001d173\U0001bca0",
    ],
)
def test_marks_fall_away_everywhere(mark: str) -> None:
    assert trimmed(f"{mark}护{mark}理{mark} ") == "护理"
    assert fold(f"{mark}１{mark}2 ") == "12"
    assert fold(mark) == trimmed(mark) == tidy_name(mark)[0] == ""
    assert tidy_name(f"测{mark}试") == ("测试", True)
    assert Sex.from_label(f"{mark}男") is Sex.MALE
    assert parse_mobile(f"138{mark}00000001{mark}") == "13800000001"


def test_white_space_is_all_that_unicode_counts_but_separating_controls() -> None:
    spaces = {chr(code) for code in range(sys.maxunicode + 1) if chr(code).isspace()}
    assert set(BLANKS) == spaces - set("\x1c\x1d\x1e\x1f")


@pytest.mark.parametrize(
    ("written", "name", "said"),
    [
        ("张三", "张三", False),
        ("张 三", "张三", True),
        ("张　三", "张三", True),
        ("张\n三", "张三", True),
        ("张\r\n三\n", "张三", True),
        (" 张三　", "张三", True),
        ("𠮷\u3000田", "𠮷田", True),
        ("王〇 〇", "王〇〇", True),
        ("王 John", "王John", True),
        ("阿卜杜拉 · 买买提", "阿卜杜拉·买买提", True),
        ("买买提·示例", "买买提·示例", False),
        ("买买提•示例", "买买提•示例", False),
        ("Anna Maria", "Anna Maria", False),
        ("Anna  Maria ", "Anna Maria", False),
        ("Anna\u00a0Maria", "Anna Maria", False),
        ("Anna\nMaria", "Anna Maria", True),
        ("Anna\u2028Maria", "Anna Maria", True),
        ("Anna\u200b Maria", "Anna Maria", True),
        ("Mc\u00adDonald", "McDonald", True),
        ("葛\U000e0100城", "葛城", True),
        ("\u200e", "", True),
        ("\u2066 \u2069", "", True),
        ("", "", False),
    ],
)
def test_names(written: str, name: str, said: bool) -> None:
    assert tidy_name(written) == (name, said)


_CHARACTERS = st.sampled_from([*"张三𠮷AbÄ·'- \n\r\t", "\u3000", "\u200b", "\u2066", "\ufe0f"])


@given(st.text(_CHARACTERS))
def test_a_name_keeps_its_visible_characters_and_is_tidy(written: str) -> None:
    name, said = tidy_name(written)
    assert "".join(name.split()) == fold(written)
    assert tidy_name(name) == (name, False)
    assert said or not (INVISIBLE & set(written) or {"\n", "\r"} & set(written))


@pytest.mark.parametrize("dash", [chr(code) for code in DASHES])
def test_what_looks_like_a_hyphen_is_one_where_numbers_are_written(dash: str) -> None:
    assert parse_mobile(f"138{dash}0000{dash}0001") == "13800000001"
    assert parse_phone(f"021{dash}62748577") == "021-62748577"
    register = Register([Occupation("4-03-02-10", "调饮师")])
    assert register.find(f"4{dash}03{dash}02{dash}10", None) == Occupation("4-03-02-10", "调饮师")
