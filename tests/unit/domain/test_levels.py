import pytest
from hypothesis import given
from hypothesis import strategies as st

from school_portal.domain.levels import Level, TrainingLevel, parse_level, parse_training_level


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("四级", 4),
        ("4级", 4),
        ("4", 4),
        ("中级工", 4),
        ("中级", 4),
        ("四级/中级工", 4),
        ("４级", 4),
        ("四级／中级工", 4),
        (" 四 级 ", 4),
        ("中级工（四级）", 4),
        ("四级等级", 4),
        ("四级/中级", 4),
        ("中级/四级", 4),
        ("4级/中级工", 4),
        ("4/中级工", 4),
        ("四级、中级工", 4),
        ("四级 — 中级工", 4),
        ("四级\\中级工", 4),
        ("四级（中级技能）", 4),
        ("国家职业资格四级", 4),
        ("国家职业资格四级（中级技能）", 4),
        ("职业技能等级四级/中级工", 4),
        ("技能等级四级", 4),
        ("第四级", 4),
        ("四\u200b级\u2060", 4),
        ("三级／高级", 3),
        ("一级·高级技师", 1),
        ("五级/初级工", 5),
        ("初级", 5),
        ("高级", 3),
        ("高级工", 3),
        ("高级技师", 1),
        ("技师", 2),
        ("二级/技师", 2),
        ("一级", 1),
    ],
)
def test_spellings_of_a_level(text: str, level: int) -> None:
    assert parse_level(text) is Level(level)


@pytest.mark.parametrize(
    "text",
    [
        *("", "等级", "0", "6", "44", "级", "六级", "特级技师", "首席技师", "④", "IV"),
        *("四级/高级工", "三级/中级", "高级技师（二级）", "国家职业资格四级（高级技能）"),
        *("四级/三级", "4、3", "中级/初级", "-4", "4-", "国家职业资格", "职业技能等级"),
    ],
)
def test_what_is_no_level(text: str) -> None:
    assert parse_level(text) is None


_NUMBERS = {level: (f"{level}", f"{level}级", f"{'一二三四五'[level - 1]}级") for level in Level}
_TITLES = {
    1: ("高级技师",),
    2: ("技师",),
    3: ("高级工", "高级", "高级技能"),
    4: ("中级工", "中级", "中级技能"),
    5: ("初级工", "初级", "初级技能"),
}


@given(
    st.sampled_from(Level),
    st.sampled_from(Level),
    st.data(),
    st.sampled_from(["{}/{}", "{}（{}）", "{}、{}", "{} – {}", "{}{}", "国家职业资格{}（{}）"]),
    st.booleans(),
)
def test_both_halves_are_read_where_they_agree(
    number: Level, title: Level, data: st.DataObject, pattern: str, swapped: bool
) -> None:
    halves = [
        data.draw(st.sampled_from(_NUMBERS[number])),
        data.draw(st.sampled_from(_TITLES[title])),
    ]
    text = pattern.format(*(reversed(halves) if swapped else halves))
    assert parse_level(text) is (number if number is title else None)


@given(st.text())
def test_any_text_is_a_level_or_none(text: str) -> None:
    assert parse_level(text) in {None, *Level}


@pytest.mark.parametrize("level", Level)
def test_a_level_reads_its_own_label(level: Level) -> None:
    assert parse_level(level.label) is level


def test_labels() -> None:
    assert [level.label for level in Level] == [
        "一级/高级技师",
        "二级/技师",
        "三级/高级工",
        "四级/中级工",
        "五级/初级工",
    ]


@pytest.mark.parametrize(
    ("text", "training_level", "cap"),
    [("中职", TrainingLevel.SECONDARY, 4), (" 高 职 ", TrainingLevel.HIGHER, 3)],
)
def test_training_levels_and_caps(text: str, training_level: TrainingLevel, cap: int) -> None:
    assert parse_training_level(text) is training_level
    assert training_level.cap == cap


@pytest.mark.parametrize("text", ["", "本科", "中职、高职", "secondary"])
def test_what_is_no_training_level(text: str) -> None:
    assert parse_training_level(text) is None
