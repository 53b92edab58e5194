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


def test_the_policy_can_let_an_own_expert_judge_but_not_one_who_declared() -> None:
    lax, own = Policy(own_experts_excluded=False), pooled(1, employer="示例学校")
    assert objection(own, APPLICANT, lax) == ""
    assert "声明回避" in objection(replace(own, declared=True), APPLICANT, lax)
