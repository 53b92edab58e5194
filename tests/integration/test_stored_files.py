"""Files without a row: swept in time, and nothing else is."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
import sqlalchemy as sa
from redis import Redis
from sqlalchemy.orm import Session

from batch import sweeper
from school_portal.embedded_redis import EmbeddedRedis
from school_portal.extensions import db
from school_portal.models import Job, Roster
from school_portal.security.cipher import KeyRing
from school_portal.services import rosters, stored_files
from school_portal.services.access import Actor
from school_portal.services.portal import Portal
from school_portal.storage import Storage
from tests.factories.evaluations import PDF, Desk
from tests.factories.operation import Operation, running, student, workbook
from tests.factories.visitor import work


@pytest.fixture
def operation(session: Session) -> Operation:
    made = running(session)
    session.commit()
    return made


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    server = EmbeddedRedis(tmp_path / "valkey")
    server.start()
    with Redis.from_url(server.url) as connection:
        yield connection
    server.stop()


def put(portal: Portal, content: bytes = b"x") -> str:
    return portal.storage.put(BytesIO(content), 100).key


def age(portal: Portal) -> None:
    """All files a year older."""
    folder = portal.settings.home / "files"
    for path in folder.glob("*/*"):
        moment = path.stat().st_mtime - 365 * 24 * 3600
        os.utime(path, (moment, moment))


def test_what_no_row_refers_to_goes_after_a_day(
    session: Session, portal: Portal, operation: Operation
) -> None:
    clerk, file = Actor.operator_at_the_console(), workbook([student(1)])
    roster = rosters.upload(session, portal, clerk, operation.school.id, file, "名册.xlsx")
    desk = Desk.of(session, portal, operation.school)
    evaluation = desk.draft()
    desk.attach(evaluation, PDF, "方案.pdf")
    kept = {roster.storage_key, *(one.storage_key for one in evaluation.programmes)}
    session.commit()
    before_the_commit = put(portal)
    ring = KeyRing([bytes(32)])
    anothers = Storage(portal.settings.storage_url, ring).put(BytesIO(b"x"), 100).key
    age(portal)
    just_now = put(portal)
    assert {*portal.storage.names()} == {*kept, before_the_commit, anothers, just_now}

    assert stored_files.sweep(db.session(), portal) == 1
    session.commit()
    assert {*portal.storage.names()} == {*kept, anothers, just_now}


def test_it_never_sees_less_than_the_list_of_files(session: Session, portal: Portal) -> None:
    session.query(Roster).all()
    with pytest.raises(RuntimeError):
        stored_files.sweep(db.session(), portal)


def swept(session: Session, portal: Portal, redis: Redis) -> list[str]:
    """The files that are left once a worker tidied and did what waits."""
    sweeper.tidy(portal, redis)
    work(session, portal)
    return list(portal.storage.names())


def test_one_worker_an_hour_sweeps(session: Session, portal: Portal, redis: Redis) -> None:
    put(portal)
    age(portal)
    assert swept(session, portal, redis) == []
    put(portal)
    age(portal)
    assert len(swept(session, portal, redis)) == 1  # another worker, a moment later
    [marked] = redis.keys("portal:begun:*")
    assert 0 < redis.ttl(marked) <= sweeper.FILES_SECONDS
    redis.flushall()
    assert swept(session, portal, redis) == []


def test_a_sweep_that_waits_is_not_queued_again(
    session: Session, portal: Portal, redis: Redis
) -> None:
    for _ in range(2):
        sweeper.tidy(portal, redis)
        redis.flushall()
    assert session.scalars(sa.select(Job.kind)).all() == ["files-tidy"]


def test_no_column_that_refers_to_files_is_forgotten() -> None:
    """Whoever puts a file keeps its name in a column that is known as such."""
    found = {f"{column.table.name}.{column.name}" for column in stored_files.columns()}
    assert found == {"rosters.storage_key", "training_programmes.storage_key"}
    for path in Path("school_portal").rglob("*.py"):
        text = path.read_text()
        puts = len(re.findall(r"storage\.put\(", text))
        assert puts == len(re.findall(r"\bstorage_key=stored\.key\b", text)), path
