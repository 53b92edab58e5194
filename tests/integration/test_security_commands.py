"""The commands for accounts, the audit chain and the keys."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from click.testing import Result
from flask import Flask
from sqlalchemy.orm import Session

from school_portal.cli.audit import audit
from school_portal.cli.keys import keys
from school_portal.cli.users import users
from school_portal.domain.workflow import Role
from school_portal.extensions import db
from school_portal.models import AuditEvent, Job, User
from school_portal.security import passwords
from school_portal.services import accounts
from school_portal.services.access import Refused
from tests.conftest import NOW
from tests.factories.operation import running

PASSWORD = "correct horse 电池"


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "hasher", cheap)


def run(app: Flask, command: object, line: str, given: str = "") -> Result:
    db.session.rollback()  # a command begins its own transaction
    return app.test_cli_runner().invoke(command, line.split(), input=given)


def test_an_operator_is_created_and_signs_in(app: Flask, session: Session) -> None:
    school = running(session).school
    session.commit()
    line = f"create --username operator --name 示例 --school {school.uscc}"
    result = run(app, users, line, PASSWORD + "\n")
    assert result.exit_code == 0, result.output
    assert PASSWORD not in result.output
    found = accounts.sign_in(session, "operator", PASSWORD, NOW)
    assert found is not None
    assert (found[1].school_id, found[1].role, found[1].name) == (school.id, Role.SCHOOL, "示例")


def test_disabling_and_enabling(app: Flask, session: Session) -> None:
    assert run(app, users, "create --username clerk --role centre", PASSWORD).exit_code == 0
    assert run(app, users, "disable --username clerk").exit_code == 0
    assert accounts.sign_in(session, "clerk", PASSWORD, NOW) is None
    session.rollback()
    assert run(app, users, "enable --username clerk").exit_code == 0
    assert accounts.sign_in(session, "clerk", PASSWORD, NOW) is not None


@pytest.mark.parametrize(
    "line",
    [
        "create --username clerk",
        "create --username clerk --role centre --school 91310000000000001X",
        "create --username clerk --role school",
        "create --role centre",
    ],
)
def test_wrong_usage(app: Flask, session: Session, line: str) -> None:
    assert run(app, users, line, PASSWORD).exit_code == 2
    assert session.scalars(sa.select(User)).all() == []


def test_an_unknown_school_is_refused(app: Flask) -> None:
    result = run(app, users, "create --username x1 --school 91310000000000001X", PASSWORD)
    assert isinstance(result.exception, Refused)


def test_the_chain_is_verified(app: Flask, session: Session) -> None:
    for name in ("first", "second"):
        run(app, users, f"create --username {name} --role centre", PASSWORD)
    sound = run(app, audit, "verify --format json")
    assert (sound.exit_code, json.loads(sound.stdout)) == (0, {"events": 2, "findings": []})
    assert run(app, audit, "verify").exit_code == 0
    session.execute(sa.update(AuditEvent).where(AuditEvent.seq == 2).values(subject="user:9"))
    session.commit()
    broken = run(app, audit, "verify --format json")
    assert broken.exit_code == 1
    assert [each["seq"] for each in json.loads(broken.stdout)["findings"]] == [2]
    assert "第 2 条" in run(app, audit, "verify").stdout


def test_keys_are_counted(app: Flask, session: Session) -> None:
    counted = run(app, keys, "status --format json")
    (only,) = json.loads(counted.stdout)["keys"]
    assert (only["newest"], only["cells"], only["files"]) == (True, 1, 0)
    assert only["id"] in run(app, keys, "status").stdout


def test_a_ring_from_the_environment_is_not_rotated_for_the_operator(
    app: Flask, session: Session
) -> None:
    assert isinstance(run(app, keys, "rotate").exception, Refused)
    assert session.scalars(sa.select(Job)).all() == []
