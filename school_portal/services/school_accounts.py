"""The state of an account: opened, suspended, resumed, closed by the centre (rulebook 6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.account import ACCOUNT_WORKFLOW, AccountAction, AccountState
from school_portal.domain.facts import Account
from school_portal.domain.workflow import Role
from school_portal.models import School, SchoolAccount, dialect
from school_portal.services import sign_ins
from school_portal.services.access import Actor, lock
from school_portal.services.portal import Portal
from school_portal.services.transitions import apply


def state_of(session: Session, school: School, on: date) -> AccountState:
    """The account's state; of a school taken over with the opening data, what its days say."""
    kept = session.scalar(
        sa.select(SchoolAccount.state).where(SchoolAccount.school_id == school.id)
    )
    return kept or _by_days(school, on)


def states(session: Session, schools: Sequence[School], on: date) -> dict[int, AccountState]:
    """The state of each school's account, by the school's id."""
    accounts = session.scalars(
        sa.select(SchoolAccount).where(SchoolAccount.school_id.in_([one.id for one in schools]))
    )
    kept = {account.school_id: account.state for account in accounts}
    return {one.id: kept.get(one.id) or _by_days(one, on) for one in schools}


def count(session: Session, name: str) -> int:
    """How many schools have a name that holds the text, or that code."""
    found = sa.select(sa.func.count()).select_from(School).where(_named(name))
    return session.scalar(found) or 0


def page(session: Session, name: str, *, limit: int, offset: int) -> Sequence[School]:
    """Those schools, by name."""
    query = sa.select(School).where(_named(name)).order_by(School.name, School.id)
    return session.scalars(query.limit(limit).offset(offset)).all()


def _named(name: str) -> sa.ColumnElement[bool]:
    return School.name.contains(name, autoescape=True) | (School.uscc == name.upper())


def _by_days(school: School, on: date) -> AccountState:
    if Account(school.opened_on, school.stopped_on).is_open(on):
        return AccountState.OPEN
    if school.opened_on is None or school.opened_on > on:
        return AccountState.NOT_OPEN
    return AccountState.SUSPENDED


def account_of(session: Session, school: School, on: date) -> SchoolAccount:
    """The school's account, made on first need with the state that the school's days say."""
    values = {"school_id": school.id, "state": _by_days(school, on).value, "version": 0}
    dialect.ensure_row(session, SchoolAccount.__table__, values)
    return session.scalars(
        sa.select(SchoolAccount).where(SchoolAccount.school_id == school.id)
    ).one()


def open_account(session: Session, portal: Portal, actor: Actor, school: School) -> None:
    """The account passes `ACCOUNT` from today on. Raises Refused."""
    _move(session, portal, actor, school, AccountAction.OPEN)
    school.opened_on, school.stopped_on = portal.today(), None


def suspend(session: Session, portal: Portal, actor: Actor, school: School, reason: str) -> None:
    """The account fails `ACCOUNT` from today on, until it is resumed. Raises Refused."""
    _move(session, portal, actor, school, AccountAction.SUSPEND, reason)
    _stop(session, school, portal.today())


def resume(session: Session, portal: Portal, actor: Actor, school: School, reason: str) -> None:
    """The account passes `ACCOUNT` again. Raises Refused."""
    _move(session, portal, actor, school, AccountAction.RESUME, reason)
    school.stopped_on = None


def close(session: Session, portal: Portal, actor: Actor, school: School, reason: str) -> None:
    """The account ends today; the school may ask for another opening. Raises Refused."""
    _move(session, portal, actor, school, AccountAction.CLOSE, reason)
    _stop(session, school, portal.today())


def _stop(session: Session, school: School, today: date) -> None:
    """An account that is stopped already stays so from its first day on.

    Whoever is in by its key is out: with it nobody comes in until the account is open again.
    """
    school.stopped_on = school.stopped_on or today
    sign_ins.end_by_key(session, school)


def _move(
    session: Session,
    portal: Portal,
    actor: Actor,
    school: School,
    action: AccountAction,
    reason: str = "",
) -> None:
    lock(session, school.id)
    account = account_of(session, school, portal.today())
    role, now = actor.role or Role.SYSTEM, portal.clock()
    apply(session, ACCOUNT_WORKFLOW, account, action, role, actor=actor, at=now, reason=reason)
