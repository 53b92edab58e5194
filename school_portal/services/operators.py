"""Whose the school's key is: the operator whom annex 2 names (rulebook 6, 1).

A keyID belongs to one account and to the certificate of one operator: whoever signs in with it is
that person, who may have a password, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.account import OpeningState
from school_portal.domain.labels import fold
from school_portal.domain.workflow import Role
from school_portal.models import AccountOpening, School, User
from school_portal.security import audit

UNNAMED = "平台操作人员"
_KEY_ALONE = "key:"  # before the usernames of those who have nothing but the key


def has_key_alone(user: User) -> bool:
    """Whether the account was made for the key: nobody is given such a username."""
    return user.username.startswith(_KEY_ALONE)


def of_key(session: Session, school: School, at: datetime) -> User:
    """The person who holds the school's key; an account is made where nobody's is theirs.

    The school is locked by the caller: of two at once, the second finds what the first made.
    """
    operator = named(session, school)
    people = _people(session, school)
    found = _by_name(people, operator) if operator else _only(people)
    return found or _made(session, school, people, operator, at)


def named(session: Session, school: School) -> str:
    """The operator in the last annex 2 that was approved; empty for a school taken over."""
    return (
        session.scalar(
            sa.select(AccountOpening.operator)
            .where(
                AccountOpening.school_id == school.id,
                AccountOpening.state == OpeningState.APPROVED,
            )
            .order_by(AccountOpening.requested_at.desc(), AccountOpening.id.desc())
            .limit(1)
        )
        or ""
    )


def _people(session: Session, school: School) -> Sequence[User]:
    """The school's: those with the key alone last, the disabled after the others, by age."""
    found = session.scalars(sa.select(User).where(User.school_id == school.id).order_by(User.id))
    return sorted(found, key=lambda one: (has_key_alone(one), not one.active))


def _by_name(people: Sequence[User], operator: str) -> User | None:
    """Who is called so; else the only one without a name, who is given this one."""
    found = next((one for one in people if fold(one.name) == fold(operator)), None)
    nameless = [one for one in people if _is_nameless(one)]
    if found is None and len(nameless) == 1:
        [found] = nameless
        found.name = operator
    return found


def _is_nameless(user: User) -> bool:
    """Invited and not come yet, or made for the key before anybody was named."""
    if has_key_alone(user):
        return user.name == UNNAMED
    return user.name == user.username and not user.password_hash


def _only(people: Sequence[User]) -> User | None:
    """Where no paper names anybody: the school's one operator, or the key's own account.

    Where all are disabled it is one of them, who is refused: the key makes nobody new for them.
    """
    own = [one for one in people if one.active and not has_key_alone(one)]
    if len(own) == 1:
        return own[0]
    alone = [one for one in people if has_key_alone(one)]
    return next(iter(alone if own else [*alone, *people]), None)


def _made(
    session: Session, school: School, people: Sequence[User], operator: str, at: datetime
) -> User:
    before = sum(map(has_key_alone, people))
    made = User(
        username=f"{_KEY_ALONE}{school.uscc}" + (f":{before + 1}" if before else ""),
        name=operator or UNNAMED,
        password_hash="",  # no password fits it
        role=Role.SCHOOL,
        school_id=school.id,
        active=True,
    )
    session.add(made)
    session.flush()
    subject = f"user:{made.id}"
    audit.record(
        session, subject, "user.create", subject, at=at, role=Role.SCHOOL.value, school=school.id
    )
    return made
