import pytest
from hypothesis import given
from hypothesis import strategies as st

from school_portal.domain.labels import fold
from school_portal.domain.roster import Enrolment, Route, StudyMode


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Ａ１－Ｘ", "A1-X"),
        (" a\tb\u3000c\u00a0", "abc"),
        ("\ufeff1\u200b2\u202d", "12"),
        ("阿·不都①", "阿·不都①"),
    ],
)
def test_folding(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_labels_of_the_roster() -> None:
    assert [member.label for member in Enrolment] == [
        "在籍",
        "休学",
        "保留学籍",
        "退学",
        "转出",
        "毕业",
    ]
    assert [member.label for member in StudyMode] == ["全日制", "非全日制"]
    assert [member.label for member in Route] == ["职业技能等级认定", "职业资格鉴定"]
    assert [member.value for member in Route] == ["skill_level", "qualification"]


def test_who_counts_as_the_schools() -> None:
    held = {member.label for member in Enrolment if member.holds}
    assert held == {"在籍", "休学", "保留学籍"}


@pytest.mark.parametrize("text", ["", "enrolled", "在学"])
def test_what_is_in_no_list(text: str) -> None:
    assert Enrolment.from_label(text) is None
