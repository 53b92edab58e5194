"""A Redis that answers and takes no writes: no job would run, and everybody is told."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from redis import Redis
from redis.exceptions import ResponseError
from sqlalchemy.orm import Session

from school_portal import bell
from school_portal.cli.failures import Failed
from school_portal.cli.processes import supervised
from school_portal.embedded_redis import EmbeddedRedis
from school_portal.models import Job, JobState
from school_portal.services import doctor, rosters
from school_portal.services.access import Actor
from school_portal.services.portal import Portal
from school_portal.services.progress import STALLED_AFTER, progress
from tests.conftest import FakeClock
from tests.factories.operation import running, student, workbook
from tests.factories.visitor import HTML, Visitor, user
from tests.faults.conftest import until


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(tmp_path / "valkey")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis(valkey: EmbeddedRedis) -> Iterator[Redis]:
    with Redis.from_url(valkey.url) as connection:
        yield connection


@pytest.fixture
def environment(environment: dict[str, str], valkey: EmbeddedRedis) -> dict[str, str]:
    return {**environment, "SCHOOL_PORTAL_REDIS_URL": valkey.url}


def fill(redis: Redis, folder: Path) -> None:
    redis.config_set("maxmemory", 1)
    redis.config_set("maxmemory-policy", "noeviction")


def make_a_copy(redis: Redis, folder: Path) -> None:
    redis.replicaof("127.0.0.1", 1)


def break_the_disk(redis: Redis, folder: Path) -> None:
    redis.config_set("save", "1 1")
    shutil.rmtree(folder)
    folder.mkdir()  # another one: the server's is gone
    redis.set("something", "to keep")
    redis.bgsave()
    until(lambda: redis.info("persistence")["rdb_last_bgsave_status"] == "err", "the failure")


refusing = pytest.mark.parametrize("refuse", [fill, make_a_copy, break_the_disk])
Refuse = Callable[[Redis, Path], None]


@refusing
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # asked nothing here
def test_everybody_is_told(
    app: Flask, session: Session, portal: Portal,
    valkey: EmbeddedRedis, redis: Redis, tmp_path: Path, refuse: Refuse,
) -> None:  # fmt: skip
    assert told_by_doctor(session, portal) == (True, "可以写入，当前没有任务进程")
    refuse(redis, tmp_path / "valkey" / "redis")
    assert valkey.is_up()
    with pytest.raises(ResponseError):
        bell.probe(redis)
    answer = Visitor(app).send("GET", "/readyz")
    assert (answer.status_code, answer.json and answer.json["failing"]) == (503, ["redis"])
    well, line = told_by_doctor(session, portal)
    assert not well and line.startswith(doctor.REFUSES_WRITES)
    with pytest.raises(Failed, match="不接受写入"), supervised(portal.settings):
        raise AssertionError("nothing is started beside such a Redis")


def told_by_doctor(session: Session, portal: Portal) -> tuple[bool, str]:
    [found] = [one for one in doctor.examine(session, portal) if one.name == "Redis"]
    return found.well, found.message


def test_the_probe_leaves_nothing(redis: Redis) -> None:
    bell.probe(redis)
    assert redis.keys() == []


def test_one_that_is_away_is_no_one_that_refuses(portal: Portal) -> None:
    settings = replace(portal.settings, redis_url="redis://127.0.0.1:1")
    with pytest.raises(Failed, match="没有应答"), supervised(settings):
        raise AssertionError("nothing is started without Redis")


def test_the_page_says_that_nothing_is_being_done(
    app: Flask, session: Session, portal: Portal, clock: FakeClock, redis: Redis, tmp_path: Path
) -> None:
    made = running(session)
    user(session, portal, "zhang", school=made.school)
    fill(redis, tmp_path)
    clerk = Actor.operator_at_the_console(made.school.id)
    file = workbook([student(1)])
    roster = rosters.upload(session, portal, clerk, made.school.id, file, "名册.xlsx")
    page = f"/school/rosters/{roster.id}"
    session.commit()
    visitor = Visitor(app)
    visitor.sign_in("zhang")
    assert "马上开始" in visitor.text(page)
    clock.now += STALLED_AFTER + timedelta(seconds=1)
    text = visitor.send("GET", page, headers=HTML).get_data(as_text=True)
    assert "后台目前没有在处理任何任务" in text and "马上开始" not in text

    job = session.query(Job).one()
    assert progress(session, job, clock()).stalled
    session.add(Job(id="another", kind="roster-check", state=JobState.RUNNING, created_at=clock()))
    session.flush()
    assert not progress(session, job, clock()).stalled
