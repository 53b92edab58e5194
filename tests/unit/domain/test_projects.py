from collections import Counter
from pathlib import Path

import pytest

import school_portal.domain
from school_portal.domain.levels import Level
from school_portal.domain.projects import Occupation, Project, Register, read_catalogue

DATA = Path(school_portal.domain.__file__).parent.parent / "data" / "occupations-2024-447.csv"

CARBON = "4-09-07-04"
WHOLE = Occupation(CARBON, "碳排放管理员")
ACCOUNTING = Occupation(CARBON, "碳排放管理员", "碳排放核算员")
DIETICIAN = Occupation("4-14-02-01", "营养师", "公共营养师")
TRAINER = Occupation("4-04-05-05", "人工智能训练师")
SAME_CODE = Occupation("4-04-05-05", "数字化解决方案设计师")
SAME_NAME = Occupation("6-29-03-04", "管工")
SAME_NAME_TOO = Occupation("6-29-03-99", "管工")


@pytest.fixture(scope="module")
def catalogue() -> tuple[Project, ...]:
    with DATA.open(encoding="utf-8") as lines:
        return read_catalogue(lines)


def test_the_catalogue_has_48_occupations_and_no_project_twice(
    catalogue: tuple[Project, ...],
) -> None:
    assert len({project.base for project in catalogue}) == 48
    assert max(Counter(catalogue).values()) == 1


def test_the_code_is_no_key(catalogue: tuple[Project, ...]) -> None:
    carbon: dict[str, list[int]] = {}
    for project in catalogue:
        if project.code == CARBON:
            carbon.setdefault(project.direction, []).append(int(project.level))
    assert len(carbon) == 7
    assert carbon[""] == [5]
    assert carbon["碳排放咨询员"] == [3, 2, 1]


def test_a_project_knows_its_occupation_and_its_label() -> None:
    project = Project("4-14-02-01", "营养师", "公共营养师", Level(4))
    assert project.base == DIETICIAN
    assert project.label == "营养师（公共营养师）四级/中级工"
    assert WHOLE.label == "碳排放管理员"


@pytest.mark.parametrize(
    ("code", "name", "direction", "found"),
    [
        (CARBON, "碳排放管理员", "", WHOLE),
        (CARBON, None, "", WHOLE),
        (None, "碳排放管理员", "", WHOLE),
        (CARBON, None, "碳排放核算员", ACCOUNTING),
        (None, " 碳排放 管理员", "碳排放核算员 ", ACCOUNTING),
        ("４－09-07-04", "", "", WHOLE),
        (CARBON, "管工", "", None),
        (CARBON, "碳排放管理员", "碳排放咨询员", None),
        ("4-14-02-01", "营养师", "", None),
        ("4-14-02-01", "营养师", "公共营养师", DIETICIAN),
        ("9-99-99-99", None, "", None),
        (None, None, "碳排放核算员", None),
        ("4-04-05-05", None, "", None),
        ("4-04-05-05", "人工智能训练师", "", TRAINER),
        (None, "数字化解决方案设计师", "", SAME_CODE),
        (None, "管工", "", None),
        ("6-29-03-04", "管工", "", SAME_NAME),
    ],
)
def test_finding(
    code: str | None, name: str | None, direction: str, found: Occupation | None
) -> None:
    register = Register(
        [WHOLE, ACCOUNTING, DIETICIAN, TRAINER, SAME_CODE, SAME_NAME, SAME_NAME_TOO, WHOLE]
    )
    assert register.find(code, name, direction) == found


def test_another_width_of_the_same_occupation_is_the_same() -> None:
    register = Register([WHOLE, Occupation("４-09-07-04", "碳排放管理员")])
    assert register.find(CARBON, None, "") == WHOLE


def test_candidates_for_messages() -> None:
    register = Register([WHOLE, ACCOUNTING, DIETICIAN])
    assert register.candidates(CARBON, None) == (WHOLE, ACCOUNTING)
    assert register.candidates(CARBON, "营养师") == (WHOLE, ACCOUNTING, DIETICIAN)
    assert register.candidates(CARBON, "碳排放管理员") == (WHOLE, ACCOUNTING)
    assert register.candidates(None, "没有") == ()
