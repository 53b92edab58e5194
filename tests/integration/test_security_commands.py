"""The commands for accounts, the audit chain and the keys."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from school_portal.cli import failures
from school_portal.cli.root import school_portal as root
from school_portal.domain.workflow import Role
from school_portal.models import AuditEvent, AuditHead, Job, User
from school_portal.services import sign_ins
from school_portal.services.lockouts import Attempt
from school_portal.services.portal import Portal
from tests.factories.operation import running

PASSWORD = "correct horse 电池"
UNKNOWN = "91310000000000001X"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def school_portal(app: Flask, session: Session) -> Run:
    """Runs a command line on the test's application; its exit status and what it wrote."""

    def run(line: str, given: str = "") -> tuple[int, str, str]:
        session.commit()
        result = app.test_cli_runner().invoke(root, line.split(), input=given)
        told = result.stderr
        if isinstance(result.exception, Exception):
            told += failures._known(result.exception) or ""
        return result.exit_code, result.stdout, told

    return run


def test_an_operator_is_created_and_signs_in(
    school_portal: Run, session: Session, portal: Portal
) -> None:
    school = running(session).school
    line = f"users create --username operator --name 示例 --school {school.uscc}"
    status, *written = school_portal(line, PASSWORD + "\n")
    assert status == 0, written
    assert PASSWORD not in "".join(written)
    found = sign_ins.sign_in(session, portal, Attempt("operator"), PASSWORD)
    assert found is not None
    user = found[1].user
    assert (user.school_id, user.role, user.name) == (school.id, Role.SCHOOL, "示例")
    assert user.must_change_password


def test_a_password_of_the_persons_own_stays(school_portal: Run, session: Session) -> None:
    line = "users create --username clerk --role centre --keep-password"
    assert school_portal(line, PASSWORD)[0] == 0
    assert session.scalars(sa.select(User.must_change_password)).all() == [False]


def test_disabling_and_enabling(school_portal: Run, session: Session, portal: Portal) -> None:
    assert school_portal("users create --username clerk --role centre", PASSWORD)[0] == 0
    assert school_portal("users disable --username clerk")[0] == 0
    assert sign_ins.sign_in(session, portal, Attempt("clerk"), PASSWORD) is None
    assert school_portal("users enable --username clerk")[0] == 0
    assert sign_ins.sign_in(session, portal, Attempt("clerk"), PASSWORD) is not None


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("users create --username clerk", 2),
        (f"users create --username clerk --role centre --school {UNKNOWN}", 2),
        ("users create --username clerk --role school", 2),
        ("users create --role centre", 2),
        (f"users create --username clerk --school {UNKNOWN}", 1),
        ("users create --username ? --role centre", 1),
        ("users disable --username nobody", 1),
        ("keys rotate", 1),
    ],
)
def test_what_is_refused_changes_nothing(
    school_portal: Run, session: Session, line: str, status: int
) -> None:
    found, out, told = school_portal(line, PASSWORD)
    assert (found, out) == (status, "")
    assert told
    for model in (User, Job, AuditEvent):
        assert session.scalars(sa.select(model)).all() == []


def test_the_chain_is_verified(school_portal: Run, session: Session) -> None:
    for name in ("first", "second"):
        school_portal(f"users create --username {name} --role centre", PASSWORD)
    status, out, _ = school_portal("audit verify --format json")
    told = json.loads(out)
    assert (status, told["events"], told["findings"]) == (0, 2, [])
    status, out, _ = school_portal("audit verify")
    assert (status, out.splitlines()[0]) == (0, "审计记录共 2 条，未发现改动")
    assert told["end"] in out
    session.execute(sa.update(AuditEvent).where(AuditEvent.seq == 2).values(subject="user:9"))
    status, out, _ = school_portal("audit verify --format json")
    assert (status, [each["seq"] for each in json.loads(out)["findings"]]) == (1, [2])
    status, out, _ = school_portal("audit verify")
    assert (status, "第 2 条" in out) == (1, True)


def test_an_end_noted_elsewhere_shows_what_was_cut_off_with_the_mark_of_the_end(
    school_portal: Run, session: Session
) -> None:
    ends = [""]
    for name in ("first", "second"):
        school_portal(f"users create --username {name} --role centre", PASSWORD)
        ends.append(json.loads(school_portal("audit verify --format json")[1])["end"])

    def status(end: str) -> int:
        return school_portal(f"audit verify --end {end}")[0]

    assert [status(end) for end in ends[1:]] == [0, 0]
    assert [status(end) for end in ("2", f"x:{'0' * 64}")] == [2, 2]
    place, _, digest = ends[1].partition(":")
    session.execute(sa.delete(AuditEvent).where(AuditEvent.seq > int(place)))
    session.execute(sa.update(AuditHead).values(seq=int(place), digest=bytes.fromhex(digest)))
    assert school_portal("audit verify")[0] == 0
    assert [status(end) for end in ends[1:]] == [0, 1]


def test_keys_are_counted(school_portal: Run) -> None:
    (only,) = json.loads(school_portal("keys status --format json")[1])["keys"]
    assert (only["newest"], only["cells"], only["files"]) == (True, 1, 0)
    assert only["id"] in school_portal("keys status")[1]


def test_keys_kept_in_the_home_are_rotated_by_a_worker(tmp_path: Path) -> None:
    others = {name: value for name, value in os.environ.items() if "SCHOOL_PORTAL" not in name}
    environment = {**others, "SCHOOL_PORTAL_HOME": str(tmp_path)}

    def output(*line: str) -> str:
        command = [sys.executable, "-c", "from school_portal.cli import main; main()", *line]
        return subprocess.run(
            command, env=environment, check=True, capture_output=True, text=True
        ).stdout

    output("init")
    (before,) = json.loads(output("keys", "status", "--format", "json"))["keys"]
    after = json.loads(output("keys", "rotate", "--format", "json"))
    newest, old = after["keys"]
    assert (old["id"], old["newest"], old["cells"]) == (before["id"], False, 0)
    assert (newest["newest"], newest["cells"]) == (True, before["cells"])
    assert json.loads(output("keys", "status", "--format", "json")) == after
    assert json.loads(output("audit", "verify", "--format", "json"))["findings"] == []


def test_a_new_index_key_from_the_command_line(school_portal: Run, session: Session) -> None:
    status, told, _ = school_portal("keys reindex --format json")
    assert (status, json.loads(told)) == (0, {"old_key": True, "done": {}, "left": {}})
    assert session.scalars(sa.select(AuditEvent.action)).all()[-1] == "keys.reindex"


def test_session_keys_of_the_environment_stay(school_portal: Run) -> None:
    status, _, told = school_portal("keys rotate-session")
    assert status == 1
    assert "SCHOOL_PORTAL_SECRET_KEY" in told
