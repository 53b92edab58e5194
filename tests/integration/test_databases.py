"""What each database promises as shipped: what is confirmed stays, who changes has it alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from school_portal.config import Settings, read
from school_portal.core import build_core
from school_portal.extensions import db
from school_portal.models import School, User, dialect
from school_portal.services import access, lockouts
from school_portal.services.lockouts import Attempt
from school_portal.services.numbering import numbers
from school_portal.services.portal import Portal
from tests.factories.operation import Operation, running
from tests.factories.visitor import user

Act = Callable[[Session, Portal], None]


@pytest.fixture
def operation(session: Session, portal: Portal) -> Operation:
    made = running(session)
    user(session, portal, "zhang", school=made.school)
    session.commit()
    return made


@contextmanager
def hurried(settings: Settings) -> Iterator[Session]:
    """Somebody beside the others, who would rather be refused than wait for a lock."""
    waits = {} if settings.is_sqlite else {"options": "-c lock_timeout=1"}
    engine = sa.create_engine(settings.database_url, connect_args=waits)
    dialect.prepare(engine)
    if settings.is_sqlite:
        event.listen(engine, "connect", lambda made, _: made.execute("PRAGMA busy_timeout=0"))
    with Session(engine) as session:
        yield session
    engine.dispose()


def test_what_is_confirmed_outlives_a_power_cut(tmp_path_factory: pytest.TempPathFactory) -> None:
    """On SQLite: each commit waits for the disk. The tests' own connections do not."""
    home = tmp_path_factory.mktemp("shipped")
    app = build_core(read({"SCHOOL_PORTAL_HOME": str(home)}))
    with app.app_context(), db.engine.connect() as connection:
        kept = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("synchronous", "journal_mode", "foreign_keys")
        }
    assert kept == {"synchronous": 2, "journal_mode": "wal", "foreign_keys": 1}


def test_what_others_point_at_does_not_vanish(session: Session, operation: Operation) -> None:
    school_id = operation.school.id
    with pytest.raises(IntegrityError):
        session.execute(sa.delete(School).where(School.id == school_id))
        session.commit()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_who_may_write_has_read_nothing_that_is_about_to_change(
    session: Session, settings: Settings, operation: Operation
) -> None:
    """Else what was read is stale when it is written by, and SQLite refuses at once, unwaited."""
    school_id = operation.school.id
    query = sa.select(School.students_version).where(School.id == school_id)
    session.commit()
    before = session.scalars(query).one()
    with hurried(settings) as other:
        with pytest.raises(OperationalError, match="locked"):
            other.scalars(query)
        other.rollback()
        session.get_one(School, school_id).students_version = before + 1
        session.commit()
        other.get_one(School, school_id).students_version += 1
        other.commit()
    assert session.scalars(query).one() == before + 2


def the_school(session: Session, portal: Portal) -> None:
    access.lock(session, session.scalars(sa.select(sa.func.min(School.id))).one())


def a_person(session: Session, portal: Portal) -> None:
    access.hold(session, session.scalars(sa.select(User)).one())


def the_failures_of_a_name(session: Session, portal: Portal) -> None:
    lockouts.begin(session, portal, Attempt("zhang"))


def the_next_number(session: Session, portal: Portal) -> None:
    numbers(session, "application", "TB", 2026)


@pytest.mark.parametrize("act", [the_school, a_person, the_failures_of_a_name, the_next_number])
def test_who_changes_it_has_it_alone(
    session: Session, portal: Portal, settings: Settings, operation: Operation, act: Act
) -> None:
    """Of two at once the second waits, and goes on from what the first left."""
    act(session, portal)
    session.commit()
    act(session, portal)
    with hurried(settings) as other:
        with pytest.raises(OperationalError):
            act(other, portal)
        other.rollback()
        session.commit()
        act(other, portal)
        other.rollback()
