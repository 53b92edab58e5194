"""Whose a school's key is: the person whom annex 2 names, and nobody's second account."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.account import OpeningKind, OpeningState
from school_portal.domain.workflow import Role
from school_portal.models import AccountOpening, School, SignIn, User
from school_portal.services import accounts, invitations
from school_portal.services.access import Actor
from school_portal.services.portal import Portal
from tests.factories.visitor import PASSWORD, Visitor, user
from tests.integration.test_key_sign_in import (
    Holder,
    code,
    crls,
    holder,
    school,
    settings,
    world,
)

__all__ = ["crls", "holder", "school", "settings", "world"]

CONSOLE = Actor.operator_at_the_console()
Person = Callable[..., User]


@pytest.fixture
def person(session: Session, portal: Portal, school: School) -> Person:
    def made(username: str, name: str, **changes: Any) -> User:
        found = user(session, portal, username, school=school)
        found.name = name
        for column, value in changes.items():
            setattr(found, column, value)
        session.commit()
        return found

    return made


def name(session: Session, portal: Portal, school: School, operator: str) -> None:
    """Annex 2 names the operator, and the centre approved it."""
    now = portal.clock()
    session.add(
        AccountOpening(
            school_id=school.id,
            kind=OpeningKind.OPENING,
            state=OpeningState.APPROVED,
            operator=operator,
            created_at=now,
            saved_at=now,
            requested_at=now,
        )
    )
    session.commit()


def people(session: Session) -> dict[str, str]:
    """Everybody's name, by username."""
    session.expire_all()
    found = {one.username: one.name for one in session.scalars(sa.select(User))}
    session.rollback()
    return found


def entered(holder: Holder) -> str:
    """Who signed in with the key."""
    answer = holder.sign_in()
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.json is not None
    told: str = answer.json["user"]
    return told


def test_the_key_is_of_whom_annex_2_names(
    holder: Holder, session: Session, portal: Portal, school: School, person: Person
) -> None:
    person("zhang", "张老师")
    person("wang", "王\u3000老师")
    name(session, portal, school, "王老师")
    assert entered(holder) == "王\u3000老师"
    assert "王" in holder.visitor.text("/school/")
    assert set(people(session)) == {"zhang", "wang"}


def test_who_was_invited_and_has_not_come_is_found(
    holder: Holder, session: Session, portal: Portal, school: School, person: Person
) -> None:
    person("zhang", "张老师")
    token = invitations.invite(
        session, portal, CONSOLE, username="wang", roles=[Role.SCHOOL], school=school
    )
    name(session, portal, school, "王老师")
    assert entered(holder) == "王老师"
    assert people(session) == {"zhang": "张老师", "wang": "王老师"}
    assert 'value="王老师"' in Visitor(holder.visitor.app).text(f"/auth/invitation/{token}")


def test_whoever_has_come_without_a_name_is_not_given_anothers(
    holder: Holder, session: Session, portal: Portal, school: School, person: Person
) -> None:
    person("li", "li")  # with a password: somebody acted under it
    name(session, portal, school, "王老师")
    assert entered(holder) == "王老师"
    assert people(session)["li"] == "li"


def test_of_two_who_were_invited_neither_is_taken(
    holder: Holder, session: Session, portal: Portal, school: School
) -> None:
    for username in ("li", "wang"):
        accounts.add(
            session, CONSOLE, portal.clock(),
            username=username, name=username, roles=[Role.SCHOOL], school=school,
        )  # fmt: skip
    name(session, portal, school, "王老师")
    assert entered(holder) == "王老师"
    found = people(session)
    assert (found["li"], found["wang"], len(found)) == ("li", "wang", 3)


def test_an_account_for_the_key_is_named_once_the_operator_is(
    holder: Holder, session: Session, portal: Portal, school: School
) -> None:
    assert entered(holder) == "平台操作人员"
    name(session, portal, school, "王老师")
    assert entered(holder) == "王老师"
    assert len(people(session)) == 1


def test_another_operator_is_another_person(
    holder: Holder, session: Session, portal: Portal, school: School
) -> None:
    name(session, portal, school, "王老师")
    assert entered(holder) == "王老师"
    name(session, portal, school, "赵老师")
    assert [entered(holder) for _ in range(2)] == ["赵老师"] * 2
    assert sorted(people(session).values()) == sorted(["王老师", "赵老师"])


def test_where_there_were_two_accounts_the_persons_own_is_used(
    holder: Holder, session: Session, portal: Portal, school: School, person: Person
) -> None:
    name(session, portal, school, "王老师")
    assert entered(holder) == "王老师"
    person("wang", "王老师")
    assert entered(holder) == "王老师"
    assert len(people(session)) == 2
    newest = sa.select(SignIn).order_by(SignIn.id.desc()).limit(1)
    assert session.scalars(newest).one().user.username == "wang"


def test_a_school_taken_over_with_one_operator(
    holder: Holder, session: Session, person: Person
) -> None:
    person("zhang", "张老师")
    assert entered(holder) == "张老师"
    assert set(people(session)) == {"zhang"}


def test_a_school_taken_over_with_several(holder: Holder, session: Session, person: Person) -> None:
    person("zhang", "张老师")
    person("wang", "王老师")
    assert [entered(holder) for _ in range(2)] == ["平台操作人员"] * 2
    assert len(people(session)) == 3


def test_whoever_is_disabled_has_no_other_way_in(
    holder: Holder, session: Session, portal: Portal, school: School, person: Person
) -> None:
    person("wang", "王老师", active=False)
    name(session, portal, school, "王老师")
    assert code(holder.sign_in()) == "ca.account-not-open"
    assert set(people(session)) == {"wang"}


def test_a_person_who_came_back_is_the_one_who_is_not_disabled(
    holder: Holder, session: Session, portal: Portal, school: School, person: Person
) -> None:
    person("wang", "王老师", active=False)
    person("wang2", "王老师")
    name(session, portal, school, "王老师")
    assert entered(holder) == "王老师"


def test_another_schools_person_of_that_name_is_left_alone(
    holder: Holder, session: Session, portal: Portal, school: School, person: Person
) -> None:
    other = session.scalars(sa.select(School).where(School.id != school.id)).one()
    person("wang", "王老师", school_id=other.id)
    name(session, portal, school, "王老师")
    assert entered(holder) == "王老师"
    assert len(people(session)) == 2


def test_an_initial_password_does_not_stand_in_the_keys_way(holder: Holder, person: Person) -> None:
    person("zhang", "张老师", must_change_password=True)
    entered(holder)
    assert "首页" in holder.visitor.text("/school/")
    assert "用 CA 密钥登录" in holder.visitor.text("/settings/sign-ins")
    by_password = Visitor(holder.visitor.app)
    by_password.sign_in("zhang", PASSWORD)
    assert by_password.get("/school/", follow=False).location == "/settings/password"
