"""Projects found by code, name, direction and initials, out of filings in force."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy.orm import Session

from school_portal.domain.facts import Basis, BodyState, Node
from school_portal.domain.levels import Level
from school_portal.domain.projects import Project
from school_portal.models import BodyProject
from school_portal.services import project_search
from tests.factories.operation import NURSE, Operation, running

ON = date(2026, 10, 15)
DIETITIAN = {"occupation_code": "4-14-02-01", "occupation": "营养师", "direction": "公共营养师"}


@pytest.fixture
def operation(session: Session) -> Operation:
    """The social body carries 调饮师 3 and 4 and a direction of 营养师, the enterprise 护理员 5."""
    made = running(session)
    drinks = {"occupation_code": "4-03-02-10", "occupation": "调饮师", "direction": ""}
    for body, level, project in (
        (made.social, 3, drinks),
        (made.social, 3, DIETITIAN),
        (made.enterprise, 5, NURSE),
    ):
        session.add(BodyProject(body_id=body.id, basis=Basis.STANDARD, level=level, **project))
    session.flush()
    return made


def found(session: Session, text: str, **options: object) -> list[str]:
    projects = project_search.find(session, text, ON, **options)  # type: ignore[arg-type]
    return [f"{project.base.label}{project.level.value}" for project in projects]


@pytest.mark.parametrize(
    "text, expected",
    [
        ("调饮师", ["调饮师4", "调饮师3"]),
        ("饮", ["调饮师4", "调饮师3"]),
        ("调饮师 四级", ["调饮师4"]),
        ("4-03-02-10", ["调饮师4", "调饮师3"]),
        ("４－０３－０２", ["调饮师4", "调饮师3"]),
        ("tys", ["调饮师4", "调饮师3"]),
        ("DYS", ["调饮师4", "调饮师3"]),
        ("yys", ["营养师（公共营养师）3"]),
        ("ggyys", ["营养师（公共营养师）3"]),
        ("公共营养师", ["营养师（公共营养师）3"]),
        ("hly", ["医疗护理员5"]),
        ("无此职业", []),
        ("zzz", []),
    ],
)
def test_what_is_typed_finds(
    session: Session, operation: Operation, text: str, expected: list[str]
) -> None:
    assert found(session, text) == expected


def test_what_begins_with_it_comes_first(session: Session, operation: Operation) -> None:
    assert found(session, "y") == [
        "医疗护理员5", "营养师（公共营养师）3", "调饮师4", "调饮师3"
    ]  # fmt: skip


def test_the_cap_and_the_node_leave_out(session: Session, operation: Operation) -> None:
    assert found(session, "tys", cap=Level.INTERMEDIATE) == ["调饮师4"]
    assert found(session, "tys", cap=Level.SENIOR) == ["调饮师4", "调饮师3"]
    assert found(session, "", node=Node.EMPLOYER) == ["医疗护理员5"]
    assert found(session, "hly", node=Node.SOCIAL) == []


@pytest.mark.parametrize(
    "change",
    [
        {"filed_until": date(2026, 10, 14)},
        {"filed_from": date(2026, 10, 16)},
        {"state": BodyState.SUSPENDED},
        {"state": BodyState.ENDED, "state_on": ON},
    ],
)
def test_filings_not_in_force_carry_nothing(
    session: Session, operation: Operation, change: dict[str, object]
) -> None:
    for name, value in change.items():
        setattr(operation.social, name, value)
    session.flush()
    assert found(session, "tys") == []


def test_a_key_leads_back_to_its_project() -> None:
    project = Project("4-14-02-01", "营养师", "公共营养师", Level.SENIOR)
    assert project_search.parse_key(project_search.key_of(project)) == project
    for nonsense in ("", "4-14-02-01|营养师|3", "a|b|c|9", "a|b|c|", "a|b|c|3|d"):
        assert project_search.parse_key(nonsense) is None
