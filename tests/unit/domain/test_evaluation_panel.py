from dataclasses import replace

import pytest

from school_portal.domain.evaluation_panel import Applicant, Pooled, objection, ranked, size_refusal
from school_portal.domain.levels import TrainingLevel
from school_portal.domain.policy import Policy

POLICY = Policy()
APPLICANT = Applicant("示例学校", "U1", TrainingLevel.SECONDARY, frozenset({"调饮师", "茶艺师"}))


def pooled(key: int, *fields: str, load: int = 0, employer: str = "研究所") -> Pooled:
    return Pooled(key, f"专家{key}", employer, "", frozenset(fields), load)


def test_the_refusal_of_a_size_names_the_levels_own_notice() -> None:
    assert "17号 一2" in size_refusal(2, TrainingLevel.SECONDARY, POLICY)
    assert "2021-11-05 一2" in size_refusal(2, TrainingLevel.HIGHER, POLICY)


@pytest.mark.parametrize("least, sizes", [(3, [3, 5, 7]), (4, [5, 7])])
def test_a_panel_is_odd_and_as_many_as_the_policy_asks(least: int, sizes: list[int]) -> None:
    policy = Policy(panel_size=least)
    higher = TrainingLevel.HIGHER
    assert [size for size in range(8) if not size_refusal(size, higher, policy)] == sizes


def test_the_order_is_by_right_fields_load_and_name_whatever_the_pools_order() -> None:
    pool = [
        pooled(1, "调饮师", "茶艺师", employer="示例 学校"),
        pooled(2),
        pooled(4, "调饮师"),
        pooled(3, "调饮师"),
        pooled(5, "调饮师", load=1),
        pooled(6, "调饮师", "茶艺师", load=9),
    ]
    for given in (pool, pool[::-1]):
        assert [one.expert.key for one in ranked(given, APPLICANT, POLICY)] == [6, 3, 4, 5, 2, 1]


def test_an_objection_names_the_person_and_the_rule() -> None:
    assert objection(pooled(2), APPLICANT, POLICY) == ""
    said = objection(pooled(1, employer="示例学校"), APPLICANT, POLICY)
    assert "专家1" in said
    assert "本平台规则：专家不评估所属单位" in said


SCHOOL = "上海市示例中等职业学校"
ALIKE = [
    "上海市示例中等职业学校（东校区）",
    "示例中等职业学校",
    "上海示例中等职业学校",
    "上海市示例中等职业学校烹饪系",
    "示例中等职业学校(烹饪系)",
    "上海市浦东新区示例中等职业学校",
    "示例\u200b中等职业学校东校区",
    "【退休】示例中等职业学校",
]


@pytest.mark.parametrize("employer", ALIKE)
def test_an_employer_that_may_be_the_school_is_doubted_until_its_code_is_known(
    employer: str,
) -> None:
    applicant = replace(APPLICANT, school=SCHOOL)
    one = pooled(1, employer=employer)
    (doubted,) = ranked([one], applicant, POLICY)
    assert doubted.doubtful
    assert "可能就是申请学校" in doubted.objection
    assert "本平台规则：专家不评估所属单位" in doubted.objection
    (cleared,) = ranked([replace(one, employer_uscc="U2")], applicant, POLICY)
    assert (cleared.objection, cleared.doubtful) == ("", False)
    (own,) = ranked([replace(one, employer_uscc="u1 ")], applicant, POLICY)
    assert ("工作单位是申请学校" in own.objection, own.doubtful) == (True, False)
    assert objection(one, applicant, Policy(own_experts_excluded=False)) == ""


@pytest.mark.parametrize(
    "employer",
    [
        "示例研究所",
        "上海市另一中等职业学校",
        "上海市",
        "上海",
        "",
        "（东校区）",
        "示范大学",
        "示例",
    ],
)
def test_other_employers_are_free(employer: str) -> None:
    applicant = replace(APPLICANT, school="上海市典型中等职业学校")
    assert objection(pooled(1, employer=employer), applicant, POLICY) == ""


def test_what_is_left_of_a_short_name_without_the_city_is_like_nobody() -> None:
    applicant = replace(APPLICANT, school="上海市示范大学附属中等职业学校")
    assert objection(pooled(1, employer="上海大学"), applicant, POLICY) == ""


@pytest.mark.parametrize(
    ("employer", "school"),
    [
        ("示范学院烹饪系", "示范学院中专部"),
        ("上海大学烹饪系", "上海大学"),
        ("示范大学", "示范大学附属中等职业学校"),
    ],
)
def test_two_parts_of_one_institution_are_alike(employer: str, school: str) -> None:
    applicant = replace(APPLICANT, school=school)
    assert "可能就是" in objection(pooled(1, employer=employer), applicant, POLICY)


def test_what_is_certain_is_said_before_what_may_be() -> None:
    applicant = replace(APPLICANT, school=SCHOOL)
    one = replace(pooled(1, employer=ALIKE[0]), declared=True)
    (found,) = ranked([one], applicant, POLICY)
    assert ("声明回避" in found.objection, found.doubtful) == (True, False)


def test_the_policy_can_let_an_own_expert_judge_but_not_one_who_declared() -> None:
    lax, own = Policy(own_experts_excluded=False), pooled(1, employer="示例学校")
    assert objection(own, APPLICANT, lax) == ""
    assert "声明回避" in objection(replace(own, declared=True), APPLICANT, lax)
