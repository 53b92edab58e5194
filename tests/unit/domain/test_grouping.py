import json
from collections import Counter
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from school_portal.domain.facts import BodyType, Facts, Student
from school_portal.domain.grouping import as_document, plan
from school_portal.domain.levels import Level
from school_portal.domain.policy import Policy
from school_portal.domain.roster import Enrolment, Route, StudyMode, Wish
from tests.unit.domain.world import (
    CARE_4,
    CARE_5,
    DIET_4,
    HIGHER,
    ON,
    OTHER_SOCIAL,
    PIPES_4,
    SCHOOL,
    SECONDARY,
    SOCIAL,
    body,
    line,
    permission,
    student,
    wish,
    world,
)

PROJECTS = [CARE_4, CARE_5, DIET_4]
RICH = world(
    lines=tuple(line(project) for project in PROJECTS),
    permissions=(
        *(permission(project) for project in PROJECTS),
        permission(CARE_4, None, route=Route.QUALIFICATION),
    ),
    bodies=(
        body(SOCIAL, BodyType.SOCIAL, *PROJECTS),
        body(OTHER_SOCIAL, BodyType.SOCIAL, DIET_4),
    ),
)
WISHES = [
    Wish(),
    Wish(level=Level(5)),
    wish(CARE_4),
    wish(CARE_4, route=Route.QUALIFICATION),
    wish(DIET_4, body=OTHER_SOCIAL),
    wish(DIET_4),
    wish(PIPES_4),
]

students = st.lists(
    st.builds(
        lambda number, **changes: student(student_no=number, **changes),
        st.text("0123456789AB", min_size=1, max_size=4),
        wish=st.sampled_from(WISHES),
        training_level=st.sampled_from([SECONDARY, SECONDARY, HIGHER]),
        graduates_on=st.sampled_from([date(2027, 6, 30), date(2028, 6, 30)]),
        enrolment_status=st.sampled_from([Enrolment.ENROLLED, Enrolment.SUSPENDED]),
        study_mode=st.sampled_from(StudyMode),
        held=st.sampled_from([{}, {}, {CARE_4: 3}]),
    ),
    unique_by=lambda who: who.student_no,
    max_size=30,
)


def with_students(chosen: list[Student]) -> Facts:
    return replace(RICH, students=tuple(chosen))


@given(students, st.integers(1, 5))
def test_nobody_is_lost_and_nobody_doubled(chosen: list[Student], size: int) -> None:
    made = plan(with_students(chosen), ON, Policy(group_size=size))
    numbers = Counter(number for a in made.applications for number in a.students)
    numbers.update(number for number, _ in made.excluded)
    numbers.update(number for number, _ in made.held)
    assert numbers == Counter(who.student_no for who in chosen)
    assert all(1 <= len(a.students) <= size for a in made.applications)
    assert all(reasons for _, reasons in made.excluded)


@given(students.flatmap(lambda chosen: st.tuples(st.just(chosen), st.permutations(chosen))))
def test_the_order_of_the_input_does_not_matter(pair: tuple[list[Student], list[Student]]) -> None:
    documents = [
        json.dumps(as_document(plan(with_students(chosen), ON, Policy()), ON, SCHOOL))
        for chosen in pair
    ]
    assert documents[0] == documents[1]


def test_the_order_of_the_facts_does_not_matter() -> None:
    chosen = [student(student_no=str(n), wish=named) for n, named in enumerate(WISHES)]
    facts = with_students(chosen)
    turned = replace(
        facts,
        lines=facts.lines[::-1],
        permissions=facts.permissions[::-1],
        bodies=facts.bodies[::-1],
        students=facts.students[::-1],
    )
    assert plan(facts, ON, Policy()) == plan(turned, ON, Policy())


@pytest.mark.parametrize(
    ("count", "sizes"), [(0, []), (1, [1]), (200, [200]), (201, [200, 1]), (450, [200, 200, 50])]
)
def test_at_most_200_students_an_application(count: int, sizes: list[int]) -> None:
    chosen = [student(student_no=f"{n:04d}", wish=wish(CARE_4)) for n in range(count)]
    made = plan(with_students(chosen), ON, Policy())
    assert [len(a.students) for a in made.applications] == sizes
    assert [n for a in made.applications for n in a.students] == [s.student_no for s in chosen]


def test_one_body_one_route_and_one_project_an_application() -> None:
    chosen = [
        student(student_no="3", wish=wish(CARE_4)),
        student(student_no="1", wish=wish(CARE_4)),
        student(student_no="2", wish=wish(CARE_4, route=Route.QUALIFICATION)),
        student(student_no="4", wish=wish(CARE_5)),
        student(student_no="5", wish=wish(DIET_4, body=SOCIAL)),
        student(student_no="6", wish=wish(DIET_4, body=OTHER_SOCIAL)),
    ]
    made = plan(with_students(chosen), ON, Policy())
    assert [(a.route.value, a.project, a.body, a.students) for a in made.applications] == [
        ("qualification", CARE_4, None, ("2",)),
        ("skill_level", CARE_4, SOCIAL, ("1", "3")),
        ("skill_level", CARE_5, SOCIAL, ("4",)),
        ("skill_level", DIET_4, SOCIAL, ("5",)),
        ("skill_level", DIET_4, OTHER_SOCIAL, ("6",)),
    ]


def test_the_contracts_document() -> None:
    chosen = [
        student(student_no="1", wish=wish(CARE_4)),
        student(student_no="2", wish=wish(CARE_4), enrolment_status=Enrolment.SUSPENDED),
        student(student_no="3", held={CARE_4: 9}),
        student(student_no="4", wish=wish(CARE_4, route=Route.QUALIFICATION)),
    ]
    project = {
        "occupation_code": "4-14-01-02",
        "occupation": "医疗护理员",
        "direction": "",
        "level": 4,
    }
    assert as_document(plan(with_students(chosen), ON, Policy()), ON, SCHOOL) == {
        "on": "2026-10-15",
        "school": SCHOOL,
        "applications": [
            {
                "body": None,
                "body_name": None,
                "route": "qualification",
                **project,
                "students": ["4"],
            },
            {
                "body": SOCIAL,
                "body_name": "示例机构B",
                "route": "skill_level",
                **project,
                "students": ["1"],
            },
        ],
        "excluded": [
            {
                "student_no": "2",
                "reasons": [
                    {
                        "code": "ENROLLED",
                        "clause": "沪人社职〔2021〕401号 一；沪职鉴中心〔2021〕17号 一",
                        "message": (
                            "学籍状态为“休学”，只有在籍学生可以申报，状态有误的请更新名册。"
                        ),
                    }
                ],
            }
        ],
        "held": [{"student_no": "3", "application": 9}],
    }
