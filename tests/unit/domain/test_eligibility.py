from dataclasses import replace
from datetime import date

import pytest

from school_portal.domain.eligibility import Excluded, Held, Judge, Placed
from school_portal.domain.facts import Account, Basis, BodyState, BodyType, Facts, Node, Student
from school_portal.domain.levels import Level, TrainingLevel
from school_portal.domain.policy import Policy
from school_portal.domain.roster import Enrolment, Route, StudyMode, Wish
from school_portal.domain.violations import Reason
from school_portal.domain.windows import Period
from tests.unit.domain.world import (
    ALWAYS,
    CARE_3,
    CARE_4,
    CARE_5,
    COLLEGE,
    DIET_4,
    ENTERPRISE,
    HIGHER,
    ON,
    OTHER_SOCIAL,
    PAST,
    PIPES_4,
    SCHOOL,
    SOCIAL,
    SPECIALTY,
    agreement,
    body,
    line,
    permission,
    school,
    student,
    wish,
    world,
)

PART_TIME = {"study_mode": StudyMode.PART_TIME}
FULL_TIME_CLAUSE = "本平台规则：仅限全日制学生申报"


def reasons_of(
    facts: Facts, who: Student, on: date = ON, policy: Policy | None = None
) -> tuple[Reason, ...]:
    outcome = Judge(facts, on, policy or Policy()).judge(who)
    assert isinstance(outcome, Excluded), outcome
    return outcome.reasons


def codes(facts: Facts, who: Student, on: date = ON, policy: Policy | None = None) -> list[str]:
    return [reason.code for reason in reasons_of(facts, who, on, policy)]


def placed(
    facts: Facts, who: Student, on: date = ON, policy: Policy | None = None
) -> tuple[str | None, object]:
    outcome = Judge(facts, on, policy or Policy()).judge(who)
    assert isinstance(outcome, Placed), outcome
    return (outcome.body.uscc if outcome.body else None), outcome.project


def test_where_everything_passes_the_only_project_and_body_are_taken() -> None:
    assert placed(world(), student()) == (SOCIAL, CARE_4)


@pytest.mark.parametrize(
    ("account", "open_"),
    [
        (Account(None), False),
        (Account(date(2026, 10, 16)), False),
        (Account(ON), True),
        (Account(date(2025, 1, 1), ON), False),
        (Account(date(2025, 1, 1), date(2026, 10, 16)), True),
    ],
)
def test_account(account: Account, open_: bool) -> None:
    facts = world(school=school(account=account))
    if open_:
        assert placed(facts, student()) == (SOCIAL, CARE_4)
    else:
        assert codes(facts, student()) == ["ACCOUNT"]


@pytest.mark.parametrize("status", [s for s in Enrolment if s is not Enrolment.ENROLLED])
def test_enrolled(status: Enrolment) -> None:
    (reason,) = reasons_of(world(), student(enrolment_status=status))
    assert reason.code == "ENROLLED"
    assert reason.clause == "沪人社职〔2021〕401号 一；沪职鉴中心〔2021〕17号 一"
    assert f"“{status.label}”" in reason.message


def test_full_time_is_a_policy_for_bodies_that_are_no_schools() -> None:
    (reason,) = reasons_of(world(), student(**PART_TIME))
    assert (reason.code, reason.clause) == ("ENROLLED", FULL_TIME_CLAUSE)
    assert placed(world(), student(**PART_TIME), policy=Policy(full_time_required=False)) == (
        SOCIAL,
        CARE_4,
    )


def test_status_and_study_mode_are_one_reason() -> None:
    who = student(enrolment_status=Enrolment.SUSPENDED, **PART_TIME)
    (reason,) = reasons_of(world(), who)
    assert reason.clause == (
        f"沪人社职〔2021〕401号 一；沪职鉴中心〔2021〕17号 一；{FULL_TIME_CLAUSE}"
    )


@pytest.mark.parametrize(
    ("graduates_on", "on", "passes"),
    [
        (date(2027, 6, 30), date(2026, 8, 31), False),
        (date(2027, 6, 30), date(2026, 9, 1), True),
        (date(2027, 6, 30), date(2027, 8, 31), True),
        (date(2027, 6, 30), date(2027, 9, 1), False),
        (date(2026, 12, 31), date(2026, 9, 1), True),
        (date(2026, 8, 31), date(2026, 9, 1), False),
        (date(2027, 9, 1), date(2027, 8, 31), False),
    ],
)
def test_graduating_year(graduates_on: date, on: date, passes: bool) -> None:
    who = student(graduates_on=graduates_on)
    if passes:
        assert placed(world(), who, on) == (SOCIAL, CARE_4)
    else:
        assert codes(world(), who, on) == ["GRADUATING-YEAR"]


@pytest.mark.parametrize(
    ("level", "project", "strict", "passes"),
    [
        ("secondary", CARE_3, False, False),
        ("secondary", CARE_4, False, True),
        ("secondary", CARE_5, False, True),
        ("secondary", CARE_5, True, False),
        ("higher", CARE_3, False, True),
        ("higher", CARE_4, False, True),
        ("higher", CARE_4, True, False),
        ("higher", replace(CARE_4, level=Level(2)), False, False),
    ],
)
def test_level_cap_is_the_students(level, project, strict, passes) -> None:
    training_level = TrainingLevel(level)
    facts = world(
        lines=(line(project, level=training_level),),
        permissions=(permission(project),),
        bodies=(body(SOCIAL, BodyType.SOCIAL, project),),
    )
    who = student(training_level=training_level, wish=wish(project))
    policy = Policy(lower_levels_allowed=not strict)
    if passes:
        assert placed(facts, who, policy=policy) == (SOCIAL, project)
    else:
        assert codes(facts, who, policy=policy) == ["LEVEL-CAP"]


@pytest.mark.parametrize(
    "lines",
    [
        (),
        (line(CARE_4, PAST),),
        (line(CARE_4, Period(date(2026, 10, 16))),),
        (line(CARE_5),),
        (line(CARE_4, level=HIGHER),),
        (replace(line(CARE_4), specialty_code="999999"),),
        (line(replace(CARE_4, direction="养老护理")),),
        (line(replace(CARE_4, code="4-14-01-99")),),
    ],
)
def test_evaluated_is_exact_and_in_force(lines) -> None:
    assert codes(world(lines=lines), student(wish=wish(CARE_4))) == ["EVALUATED"]


@pytest.mark.parametrize(
    "permissions",
    [
        (),
        (permission(CARE_4, Node.EMPLOYER),),
        (permission(CARE_4, period=PAST),),
        (permission(CARE_5),),
        (permission(CARE_4, None, route=Route.QUALIFICATION),),
        (permission(replace(CARE_4, direction="养老护理")),),
    ],
)
def test_permitted_is_exact_and_for_the_bodys_type(permissions) -> None:
    assert codes(world(permissions=permissions), student()) == ["PERMITTED"]


@pytest.mark.parametrize(
    "changes",
    [
        {"filing": PAST},
        {"state": BodyState.SUSPENDED},
        {"state": BodyState.ENDED, "state_date": ON},
        {"projects": {CARE_5: Basis.STANDARD}},
        {"projects": {replace(CARE_4, direction="养老护理"): Basis.STANDARD}},
    ],
)
def test_scope(changes) -> None:
    lapsed = body(SOCIAL, BodyType.SOCIAL, CARE_4, **changes)
    assert codes(world(bodies=(lapsed,)), student()) == ["SCOPE"]
    named = student(wish=wish(CARE_4, body=SOCIAL))
    assert codes(world(bodies=(lapsed,)), named) == ["SCOPE"]


@pytest.mark.parametrize(
    "changes",
    [
        {"filing": Period(ON, ON)},
        {"state": BodyState.SUSPENDED, "state_date": date(2026, 10, 16)},
        {"state_date": date(2026, 1, 1)},
    ],
)
def test_in_force(changes) -> None:
    facts = world(bodies=(body(SOCIAL, BodyType.SOCIAL, CARE_4, **changes),))
    assert placed(facts, student()) == (SOCIAL, CARE_4)


def employer_world(*bodies, **changes) -> Facts:
    return world(bodies=bodies, permissions=(permission(CARE_4, Node.EMPLOYER),), **changes)


@pytest.mark.parametrize(
    ("cooperations", "passes"),
    [
        ((), False),
        ((agreement(period=PAST),), False),
        ((agreement(SOCIAL),), False),
        ((agreement(),), True),
    ],
)
def test_cooperation(cooperations, passes: bool) -> None:
    facts = employer_world(body(ENTERPRISE, BodyType.ENTERPRISE, CARE_4), cooperations=cooperations)
    if passes:
        assert placed(facts, student()) == (ENTERPRISE, CARE_4)
    else:
        assert codes(facts, student()) == ["COOPERATION"]


def test_a_school_body_serves_its_own_full_time_students() -> None:
    own = employer_world(body(SCHOOL, BodyType.SCHOOL, CARE_4))
    assert placed(own, student()) == (SCHOOL, CARE_4)
    assert codes(own, student(**PART_TIME)) == ["OWN-STUDENTS"]
    loose = Policy(full_time_required=False)
    assert codes(own, student(**PART_TIME), policy=loose) == ["OWN-STUDENTS"]
    other = employer_world(body(COLLEGE, BodyType.SCHOOL, CARE_4))
    assert codes(other, student()) == ["OWN-STUDENTS"]
    assert codes(other, student(**PART_TIME)) == ["OWN-STUDENTS"]


@pytest.mark.parametrize(
    ("type_", "uscc", "open_", "clause"),
    [
        (
            BodyType.SOCIAL,
            SOCIAL,
            False,
            "沪人社职〔2024〕120号 三(二)1；沪人社职〔2021〕401号 一",
        ),
        (
            BodyType.SCHOOL,
            SCHOOL,
            True,
            "沪人社职〔2024〕120号 三(二)1；沪人社职〔2021〕401号 一",
        ),
        (BodyType.ENTERPRISE, ENTERPRISE, False, "本平台规则：企业评价规范项目不对学生开放"),
        (BodyType.ENTERPRISE, ENTERPRISE, True, None),
    ],
)
def test_national_standard(type_, uscc, open_, clause) -> None:
    own = body(uscc, type_, CARE_4, projects={CARE_4: Basis.SPECIFICATION})
    facts = world(
        bodies=(own,),
        permissions=(permission(CARE_4), permission(CARE_4, Node.EMPLOYER)),
        cooperations=(agreement(),),
    )
    policy = Policy(enterprise_specification_closed=not open_)
    if clause is None:
        assert placed(facts, student(), policy=policy) == (uscc, CARE_4)
    else:
        (reason,) = reasons_of(facts, student(), policy=policy)
        assert (reason.code, reason.clause) == ("NATIONAL-STANDARD", clause)


TODAY_ONLY = (Period(ON, ON),)
OVER = (PAST,)


@pytest.mark.parametrize(("restrictions", "passes"), [(TODAY_ONLY, False), (OVER, True)])
@pytest.mark.parametrize("party", ["body", "school", "student"])
def test_restricted(party: str, restrictions, passes: bool) -> None:
    changed = {
        "body": lambda: (
            world(bodies=(body(SOCIAL, BodyType.SOCIAL, CARE_4, restrictions=restrictions),)),
            student(),
        ),
        "school": lambda: (world(school=school(restrictions=restrictions)), student()),
        "student": lambda: (world(), student(restrictions=restrictions)),
    }
    facts, who = changed[party]()
    if passes:
        assert placed(facts, who) == (SOCIAL, CARE_4)
    else:
        assert codes(facts, who) == ["RESTRICTED"]


@pytest.mark.parametrize("field", ["certificates", "open_elsewhere"])
def test_once(field: str) -> None:
    who = student(**{field: frozenset({CARE_4})})
    (reason,) = reasons_of(world(), who)
    assert (reason.code, reason.clause) == ("ONCE", "本平台规则：同一人同一项目不重复申报")
    assert placed(world(), who, policy=Policy(once=False)) == (SOCIAL, CARE_4)


@pytest.mark.parametrize("field", ["certificates", "open_elsewhere"])
def test_once_is_about_the_very_project(field: str) -> None:
    others = frozenset({CARE_5, replace(CARE_4, direction="养老护理"), DIET_4})
    assert placed(world(), student(**{field: others})) == (SOCIAL, CARE_4)


def test_every_failing_rule_is_told_in_the_tables_order() -> None:
    facts = Facts(
        school=school(account=Account(None), restrictions=(ALWAYS,)),
        lines=(),
        permissions=(),
        bodies=(
            body(ENTERPRISE, BodyType.ENTERPRISE, CARE_3, projects={CARE_3: Basis.SPECIFICATION}),
            body(COLLEGE, BodyType.SCHOOL, CARE_3),
        ),
        cooperations=(),
        students=(),
    )
    who = student(
        wish=wish(CARE_3),
        graduates_on=date(2028, 6, 30),
        enrolment_status=Enrolment.SUSPENDED,
        certificates=frozenset({CARE_3}),
    )
    assert codes(facts, who) == [
        "ACCOUNT",
        "ENROLLED",
        "GRADUATING-YEAR",
        "LEVEL-CAP",
        "EVALUATED",
        "PERMITTED",
        "COOPERATION",
        "OWN-STUDENTS",
        "NATIONAL-STANDARD",
        "RESTRICTED",
        "ONCE",
    ]


@pytest.mark.parametrize(
    "lapsed",
    [
        body(ENTERPRISE, BodyType.ENTERPRISE, CARE_4, filing=PAST, restrictions=(ALWAYS,)),
        body(COLLEGE, BodyType.SCHOOL, CARE_4, filing=PAST, restrictions=(ALWAYS,)),
        body(
            SOCIAL,
            BodyType.SOCIAL,
            filing=PAST,
            projects={CARE_4: Basis.SPECIFICATION},
            restrictions=(ALWAYS,),
        ),
    ],
)
@pytest.mark.parametrize("node", Node)
def test_a_lapsed_body_is_asked_nothing_but_scope(lapsed, node: Node) -> None:
    facts = world(bodies=(lapsed,), permissions=(permission(CARE_4, node),))
    named = student(wish=wish(CARE_4, body=lapsed.uscc))
    assert codes(facts, named) == ["SCOPE"]
    without = replace(facts, permissions=())
    assert codes(without, named) == ["PERMITTED", "SCOPE"]
    assert codes(without, replace(named, study_mode=StudyMode.PART_TIME)) == [
        "ENROLLED",
        "PERMITTED",
        "SCOPE",
    ]


TWO_BODIES = (
    body(SOCIAL, BodyType.SOCIAL, CARE_4),
    body(OTHER_SOCIAL, BodyType.SOCIAL, CARE_4),
)


def test_several_bodies_need_a_choice() -> None:
    (reason,) = reasons_of(world(bodies=TWO_BODIES), student())
    assert reason.code == "CHOICE-NEEDED"
    assert "“示例机构B”、“示例机构C”" in reason.message


def test_the_rows_body_comes_before_the_schools() -> None:
    chosen = {(SPECIALTY, student().training_level): SOCIAL}
    facts = world(bodies=TWO_BODIES, school=school(chosen_bodies=chosen))
    assert placed(facts, student()) == (SOCIAL, CARE_4)
    assert placed(facts, student(wish=Wish(body=OTHER_SOCIAL))) == (OTHER_SOCIAL, CARE_4)
    through = world(bodies=TWO_BODIES, school=school(chosen_bodies={(SPECIALTY, HIGHER): SOCIAL}))
    assert codes(through, student()) == ["CHOICE-NEEDED"]


def test_a_chosen_body_narrows_like_a_named_one() -> None:
    chosen = {(SPECIALTY, student().training_level): ENTERPRISE}
    assert codes(world(school=school(chosen_bodies=chosen)), student()) == ["SCOPE"]


def test_bodies_that_fail_a_rule_are_no_choice() -> None:
    facts = world(bodies=(*TWO_BODIES[:1], body(ENTERPRISE, BodyType.ENTERPRISE, CARE_4)))
    assert placed(facts, student()) == (SOCIAL, CARE_4)


def test_the_reasons_of_all_bodies_that_carry_the_project_each_once() -> None:
    facts = world(
        permissions=(),
        bodies=(
            body(SOCIAL, BodyType.SOCIAL, CARE_4),
            body(ENTERPRISE, BodyType.ENTERPRISE, CARE_4),
            body(OTHER_SOCIAL, BodyType.SOCIAL, CARE_4, filing=PAST),
        ),
    )
    found = reasons_of(facts, student())
    assert [reason.code for reason in found] == ["PERMITTED", "COOPERATION"]
    assert "社会评价组织等级认定" in found[0].message
    assert "用人单位等级认定" in found[0].message


BOTH = {
    "lines": (line(CARE_4), line(PIPES_4)),
    "permissions": (permission(CARE_4), permission(PIPES_4)),
    "bodies": (body(SOCIAL, BodyType.SOCIAL, CARE_4, PIPES_4),),
}


def test_several_projects_need_a_choice_and_it_is_the_only_reason() -> None:
    assert codes(world(**BOTH), student()) == ["CHOICE-NEEDED"]


@pytest.mark.parametrize(
    "named",
    [
        Wish(code=CARE_4.code, occupation=CARE_4.occupation),
        Wish(occupation=CARE_4.occupation),
        Wish(code=CARE_4.code, level=Level(4)),
        Wish(occupation=CARE_4.occupation, level=Level(4)),
    ],
)
def test_what_is_named_narrows(named: Wish) -> None:
    assert placed(world(**BOTH), student(wish=named)) == (SOCIAL, CARE_4)


def test_only_candidates_that_pass_are_kept() -> None:
    facts = world(**{**BOTH, "permissions": (permission(PIPES_4),)})
    assert placed(facts, student()) == (SOCIAL, PIPES_4)
    certified = student(certificates=frozenset({CARE_4}))
    assert placed(world(**BOTH), certified) == (SOCIAL, PIPES_4)


def test_no_candidate_kept_tells_all_candidates_reasons_each_once() -> None:
    facts = world(**{**BOTH, "permissions": (), "bodies": (body(SOCIAL, BodyType.SOCIAL, CARE_4),)})
    found = reasons_of(facts, student())
    assert [reason.code for reason in found] == ["PERMITTED", "SCOPE"]
    assert CARE_4.label in found[0].message
    assert PIPES_4.label in found[0].message


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        (Wish(), ["EVALUATED"]),
        (Wish(level=Level(3)), ["LEVEL-CAP", "EVALUATED"]),
        (Wish(code=CARE_4.code, occupation=CARE_4.occupation), ["EVALUATED"]),
        (Wish(body=SOCIAL), ["EVALUATED"]),
    ],
)
def test_no_candidate_is_not_evaluated(named: Wish, expected: list[str]) -> None:
    assert codes(world(lines=(line(CARE_4, PAST),)), student(wish=named)) == expected


def test_without_candidate_the_schools_and_the_students_rules_are_judged() -> None:
    facts = world(lines=(), school=school(account=Account(None), restrictions=(ALWAYS,)))
    who = student(graduates_on=date(2028, 6, 30), **PART_TIME)
    assert codes(facts, who) == [
        "ACCOUNT",
        "ENROLLED",
        "GRADUATING-YEAR",
        "EVALUATED",
        "RESTRICTED",
    ]


@pytest.mark.parametrize("direction", ["", "中医营养师"])
def test_a_direction_matches_only_itself(direction: str) -> None:
    facts = world(
        lines=(line(DIET_4),),
        permissions=(permission(DIET_4),),
        bodies=(body(SOCIAL, BodyType.SOCIAL, DIET_4),),
    )
    named = Wish(code=DIET_4.code, occupation=DIET_4.occupation, direction=direction)
    assert codes(facts, student(wish=named)) == ["EVALUATED"]
    whole = replace(named, level=Level(4))
    assert codes(facts, student(wish=whole)) == ["EVALUATED", "PERMITTED", "SCOPE"]
    assert placed(facts, student(wish=wish(DIET_4))) == (SOCIAL, DIET_4)


def test_a_level_above_the_cap_without_occupation() -> None:
    facts = world(lines=(line(CARE_4), line(CARE_3)))
    found = codes(facts, student(wish=Wish(level=Level(3))))
    assert found == ["LEVEL-CAP", "PERMITTED", "SCOPE"]


QUALIFICATION = Wish(route=Route.QUALIFICATION)
QUALIFIED = (permission(CARE_4, None, route=Route.QUALIFICATION),)


def test_the_qualification_route_is_addressed_to_nobody_and_asks_no_body() -> None:
    carrier = body(
        ENTERPRISE,
        BodyType.ENTERPRISE,
        projects={CARE_4: Basis.SPECIFICATION},
        restrictions=(ALWAYS,),
    )
    other = body(COLLEGE, BodyType.SCHOOL, CARE_4)
    facts = world(bodies=(carrier, other), permissions=QUALIFIED)
    assert placed(facts, student(wish=QUALIFICATION)) == (None, CARE_4)
    assert codes(facts, student(wish=QUALIFICATION, **PART_TIME)) == ["ENROLLED"]


def test_the_qualification_route_needs_its_permission_and_a_filed_body() -> None:
    who = student(wish=QUALIFICATION)
    assert codes(world(), who) == ["PERMITTED"]
    lapsed = body(SOCIAL, BodyType.SOCIAL, CARE_4, filing=PAST)
    assert codes(world(bodies=(lapsed,), permissions=QUALIFIED), who) == ["SCOPE"]
    assert codes(world(permissions=QUALIFIED), student()) == ["PERMITTED"]


@pytest.mark.parametrize(
    ("named", "held"),
    [
        (Wish(), True),
        (wish(CARE_4), True),
        (Wish(level=Level(4)), True),
        (Wish(code=CARE_4.code, occupation=CARE_4.occupation), True),
        (Wish(level=Level(5)), False),
        (wish(PIPES_4), False),
        (Wish(occupation=PIPES_4.occupation), False),
    ],
)
def test_what_an_open_application_of_the_school_holds(named: Wish, held: bool) -> None:
    who = student(wish=named, held={CARE_4: 17})
    outcome = Judge(world(**BOTH), ON, Policy()).judge(who)
    assert (outcome == Held(17)) is held


def test_an_explicit_wish_for_another_project_is_judged() -> None:
    who = student(wish=wish(PIPES_4), held={CARE_4: 17})
    assert placed(world(**BOTH), who) == (SOCIAL, PIPES_4)


def test_of_several_holding_applications_the_first_project_counts() -> None:
    who = student(held={PIPES_4: 1, CARE_4: 2})
    assert Judge(world(), ON, Policy()).judge(who) == Held(2)


def test_clauses_follow_the_students_training_level() -> None:
    facts = world(school=school(account=Account(None)), lines=(line(CARE_3, level=HIGHER),))
    (reason, *_) = reasons_of(facts, student(training_level=HIGHER))
    assert reason.clause == "沪人社职〔2021〕401号 三；市教委职教处 2021-11-05 二2"


@pytest.mark.parametrize(
    ("named", "words"),
    [
        (body(SOCIAL, BodyType.SOCIAL, CARE_4, filing=PAST), "备案期为 2023-01-01 至 2026-10-14"),
        (
            body(SOCIAL, BodyType.SOCIAL, CARE_4, state=BodyState.SUSPENDED, state_date=ON),
            "自 2026-10-15 起暂停",
        ),
        (body(SOCIAL, BodyType.SOCIAL, CARE_4, state=BodyState.ENDED), "备案已终止"),
        (body(SOCIAL, BodyType.SOCIAL, CARE_5), "备案不含“医疗护理员四级/中级工”"),
        (body(OTHER_SOCIAL, BodyType.SOCIAL, CARE_4), "所选评价机构未登记备案"),
    ],
)
def test_a_named_body_is_told_what_is_wrong_with_it(named, words: str) -> None:
    (reason,) = reasons_of(world(bodies=(named,)), student(wish=wish(CARE_4, body=SOCIAL)))
    assert words in reason.message
